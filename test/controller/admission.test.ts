import { expect, test } from '@jest/globals';
import { Admission } from '../../src/controller/admission.ts';
import type { Sibling } from '../../src/workbench/limits.ts';
import { settings, workbench } from '../workbench/sample.ts';

const named = (name: string) => {
  const made = workbench();
  return { ...made, metadata: { ...made.metadata, name, creationTimestamp: `2026-11-26T12:00:0${name.length}Z` } };
};
const [older, younger] = [named('a'), named('bb')];
const store = {
  siblings: (asking: { metadata: { name: string } }): Sibling[] =>
    [older, younger]
      .filter(({ metadata: { name } }) => name !== asking.metadata.name)
      .map((other) => ({ workbench: other, hasPod: false })),
};

test('two passes at once never share a place: who has been let in has it, though its Pod is not in the store yet', async () => {
  const admission = new Admission(store, { ...settings, userLimits: { running: 1 } });
  const made = Promise.withResolvers<void>();
  expect(admission.refusal({ workbench: older, pods: [] })).toBeUndefined();
  const making = admission.granted('bb', () => made.promise);
  expect(admission.refusal({ workbench: older, pods: [] })?.reason).toBe('UserLimit');
  made.reject(new Error('the API server refuses the Pod'));
  await expect(making).rejects.toThrow(/refuses/);
  expect(admission.refusal({ workbench: older, pods: [] })).toBeUndefined();
});

test('without limits nobody is asked about others', () => {
  const nobody = { siblings: () => expect(true).toBe(false) as never };
  expect(new Admission(nobody, settings).refusal({ workbench: older, pods: [] })).toBeUndefined();
});
