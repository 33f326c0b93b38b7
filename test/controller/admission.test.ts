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
      .map((other) => ({ workbench: other, hasPod: false, hasClaim: false })),
  claimsOf: () => [],
};

test('two passes at once never share a place: who has been let in has it, though its Pod is not in the store yet', async () => {
  const admission = new Admission(store, { ...settings, userLimits: { running: 1 } });
  const made = Promise.withResolvers<undefined>();
  expect(admission.refusal({ workbench: older, pods: [] })).toBeUndefined();
  const making = admission.granted(younger, () => made.promise);
  expect(admission.refusal({ workbench: older, pods: [] })?.reason).toBe('UserLimit');
  made.reject(new Error('the API server refuses the Pod'));
  await expect(making).rejects.toThrow(/refuses/);
  expect(admission.refusal({ workbench: older, pods: [] })).toBeUndefined();
});

test('without limits nobody is asked about others', () => {
  const nobody = { siblings: () => expect(true).toBe(false) as never, claimsOf: () => [] };
  expect(new Admission(nobody, settings).refusal({ workbench: older, pods: [] })).toBeUndefined();
});

test('a volume is given to one at a time: whose Pod is being made, or may have been, has it', async () => {
  const storage = { claimName: 'files' };
  const [one, other] = [older, younger].map((each) => ({ ...each, spec: { ...each.spec, storage } }));
  const admission = new Admission(store, settings);
  const made = Promise.withResolvers<{ refusal: undefined } | undefined>();
  const making = admission.granted(one!, () => made.promise);
  expect(admission.volume({ workbench: other!, pods: [] })).toEqual({ promisedTo: 'a' });
  expect(admission.volume({ workbench: one!, pods: [] })).toEqual({});
  made.resolve({ refusal: undefined });
  await making;
  expect(admission.volume({ workbench: other!, pods: [] })).toEqual({ promisedTo: 'a' });
});

test('a volume whose Pod was refused is free again', async () => {
  const storage = { claimName: 'files' };
  const [one, other] = [older, younger].map((each) => ({ ...each, spec: { ...each.spec, storage } }));
  const admission = new Admission(store, settings);
  await admission.granted(one!, () => Promise.resolve({ refusal: { reason: 'QuotaExceeded', message: '' } }));
  expect(admission.volume({ workbench: other!, pods: [] })).toEqual({});
});
