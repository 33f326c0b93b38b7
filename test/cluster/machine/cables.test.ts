import { expect, test } from '@jest/globals';
import { cableName } from './cables.ts';

test("a Pod's cable has the name that Felix computes, as long as the kernel takes", () => {
  // printf workbenches.genome | sha1sum
  expect(cableName('workbenches', 'genome')).toBe('wbp-c38a2ce5952');
});
