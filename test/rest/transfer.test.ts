import { describe, expect, test } from '@jest/globals';
import { Store } from '../../src/kube/store.ts';
import { transferSteps } from '../../src/rest/transfer.ts';
import { ANNOTATION_OWNER, claimName, labels } from '../../src/workbench/identity.ts';
import type { Claim } from '../../src/workbench/objects.ts';
import type { Workbench, WorkbenchSpec, WorkbenchStatus } from '../../src/workbench/resource.ts';
import { podOf, workbench } from '../workbench/sample.ts';

const stopped: WorkbenchStatus = { phase: 'Stopped', observedGeneration: 3 };
const mine = (spec: Partial<WorkbenchSpec> = {}, status = stopped) => workbench({ state: 'Stopped', ...spec }, status);
const lab = (spec: Partial<WorkbenchSpec> = {}): Workbench => ({
  ...mine(spec),
  metadata: { ...mine().metadata, name: 'lab', uid: 'uid-2' },
});
const versioned = <T extends { metadata: object }>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: '7' },
});
/** @param last whose it was last */
const claimOf = (name: string, last: Workbench): Claim => ({
  metadata: { name, uid: name, labels: labels(last), annotations: { [ANNOTATION_OWNER]: 'alice' } },
});
const own = claimName(mine());

function giving(seen: Workbench, { others = [] as Workbench[], claims = [] as Claim[], hasPod = false } = {}) {
  const { collections } = new Store();
  for (const one of [seen, ...others]) collections.Workbench.saw(versioned(one));
  for (const claim of claims) collections.PersistentVolumeClaim.saw(versioned(claim));
  if (hasPod) collections.Pod.saw(versioned(podOf(seen)));
  return transferSteps(seen, 'bob', { collections });
}

test('the owner is written where all is as it was seen: stopped, by the generation that the controller knows', () => {
  expect(giving(mine(), { claims: [claimOf(own, mine())] })).toEqual([
    { op: 'test', path: '/metadata/generation', value: 3 },
    { op: 'test', path: '/status/phase', value: 'Stopped' },
    { op: 'replace', path: '/spec/owner', value: 'bob' },
  ]);
  expect(transferSteps(workbench(), 'alice', new Store())).toEqual([]);
});

test("the new owner's share is taken back, the others stay", () => {
  const shares = ['carol', 'bob'].map((user) => ({ user, permission: 'read' as const }));
  expect(giving(mine({ shares })).at(-1)).toEqual({ op: 'remove', path: '/spec/shares/1' });
});

describe('nothing is given', () => {
  const naming = { storage: { claimName: 'kept' } };
  const elsewhere = { storage: { claimName: own } };
  const NOT = 'NotStopped';
  const IN = 'VolumeInUse';
  test.each<[what: string, act: () => unknown, reason: string, message: RegExp]>([
    ['while it runs', () => giving(mine({}, { ...stopped, phase: 'Running' })), NOT, /^Stop the workbench first/],
    [
      'before the controller has seen the stop',
      () => giving(mine({}, { ...stopped, observedGeneration: 2 })),
      NOT,
      /./,
    ],
    ['before anybody has seen it', () => giving(workbench({ state: 'Stopped' })), NOT, /./],
    ['while there is a Pod', () => giving(mine(), { hasPod: true }), NOT, /./],
    [
      'whose volume another one names',
      () => giving(mine(), { others: [lab(elsewhere)], claims: [claimOf(own, mine())] }),
      IN,
      /is of workbench "lab", too/,
    ],
    [
      'whose volume another one had last',
      () => giving(mine(), { others: [lab()], claims: [claimOf(own, lab())] }),
      IN,
      /is of workbench "lab", too/,
    ],
    [
      'that has only asked for a volume',
      () => giving(mine(naming), { claims: [claimOf('kept', lab())] }),
      IN,
      /"kept" was never mounted/,
    ],
    [
      'that had another volume before',
      () => giving(mine(naming), { claims: [claimOf('kept', mine()), claimOf(own, mine())] }),
      IN,
      /was once this workbench's/,
    ],
  ])('%s', (_what, act, reason, message) => {
    expect(act).toThrow(expect.objectContaining({ status: 409, reason, message: expect.stringMatching(message) }));
  });
});
