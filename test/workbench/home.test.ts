import { describe, expect, test } from '@jest/globals';
import { settingsFor } from '../../src/workbench/class.ts';
import type { WorkbenchClass } from '../../src/workbench/class.ts';
import { homeOf } from '../../src/workbench/home.ts';
import type { Seen } from '../../src/workbench/home.ts';
import { claimName } from '../../src/workbench/identity.ts';
import type { Claim } from '../../src/workbench/objects.ts';
import { plan } from '../../src/workbench/plan.ts';
import { buildPod } from '../../src/workbench/pod.ts';
import type { Snapshot } from '../../src/workbench/plan.ts';
import type { Workbench, WorkbenchSpec } from '../../src/workbench/resource.ts';
import type { Step } from '../../src/workbench/steps.ts';
import { NOW, leaving, podOf, readyPod, runningOn, serviceOf, settings, workbench } from './sample.ts';

const withStorage = (storage: Partial<NonNullable<WorkbenchClass['spec']['storage']>> = {}): WorkbenchClass => ({
  metadata: { name: 'files' },
  spec: { storage: { size: '10Gi', ...storage } },
});
const keeping = withStorage();
const deleting = withStorage({ retention: 'Delete' });
const without: WorkbenchClass = { metadata: { name: 'files' }, spec: {} };

const mine = (spec: Partial<WorkbenchSpec> = {}) => workbench({ class: 'files', ...spec });
const named = (spec: Partial<WorkbenchSpec> = {}) => mine({ storage: { claimName: 'kept' }, ...spec });

/** As the API server shows the claim that is made for a workbench. */
function claimOf(
  owner: Workbench,
  { found = keeping, ...more }: Omit<Partial<Claim>, 'metadata'> & { found?: WorkbenchClass } = {},
): Claim {
  const step = homeOf({ ...owner, spec: { ...owner.spec, storage: {} } }, {}, settingsFor(owner.spec, found, settings))!
    .steps[0]!;
  const made = (step as { object: Claim }).object;
  return {
    ...made,
    metadata: { ...made.metadata, name: claimName(owner), uid: 'claim-1', resourceVersion: '5' },
    status: { phase: 'Bound' },
    ...more,
  };
}
/** Of another workbench, stopped or gone, of the same owner. */
const another = (): Workbench => ({ ...mine(), metadata: { ...mine().metadata, name: 'lab', uid: 'uid-2' } });
const keptClaim = (found = keeping): Claim => {
  const claim = claimOf(another(), { found });
  return { ...claim, metadata: { ...claim.metadata, name: 'kept' } };
};

const decide = (seen: Workbench, found: WorkbenchClass, more: Partial<Snapshot> = {}, installation = settings) =>
  plan({ workbench: seen, class: found, pods: [], service: serviceOf(seen), ...more }, installation, NOW);
const written = (steps: Step[]) => steps.map((step) => `${step.do} ${step.kind}`);
type Made = Claim & { spec: { volumes?: unknown } };
const made = (steps: Step[]) => steps.map((step) => (step as unknown as { object: Made }).object);
const patchOf = (steps: Step[]) => {
  const step = steps.find(({ kind, do: what }) => kind === 'PersistentVolumeClaim' && what === 'patch');
  return Object.fromEntries(
    (step as { patch?: { path: string; value: unknown }[] } | undefined)?.patch?.map(({ path, value }) => [
      path,
      value,
    ]) ?? [],
  );
};

describe('a workbench whose class has storage', () => {
  test('gets a claim, and then a Pod that mounts it', () => {
    const { steps } = decide(mine(), keeping);
    expect(written(steps)).toEqual(['create PersistentVolumeClaim', 'create Pod']);
    const [claim, pod] = made(steps);
    expect(claim!.spec).toEqual({ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } });
    expect(claim!.metadata.annotations).toEqual({
      'workbench.h1st.ai/owner': 'alice',
      'workbench.h1st.ai/class': 'files',
    });
    expect(claim!.metadata.ownerReferences).toBeUndefined();
    expect(pod!.spec.volumes).toEqual([{ name: 'home', persistentVolumeClaim: { claimName: claim!.metadata.name } }]);
  });

  test('gets a claim that goes with it where its class says so, from the birth of the claim on', () => {
    const { steps } = decide(mine(), deleting);
    expect((steps[0] as { object: Claim }).object.metadata.ownerReferences).toEqual([
      expect.objectContaining({ uid: 'uid-1', controller: true, blockOwnerDeletion: true }),
    ]);
  });

  test('asks for what its author and its class want', () => {
    const found = withStorage({ storageClassName: 'fast', accessMode: 'ReadWriteOncePod' });
    const { steps } = decide(mine({ storage: { size: '20Gi' } }), found);
    expect((steps[0] as { object: Claim }).object.spec).toEqual({
      accessModes: ['ReadWriteOncePod'],
      storageClassName: 'fast',
      resources: { requests: { storage: '20Gi' } },
    });
  });

  test('is made anew on the claim that it has, and writes nothing of it', () => {
    expect(written(decide(mine(), keeping, { claim: claimOf(mine()) }).steps)).toEqual(['create Pod']);
  });

  test('keeps its claim when it is stopped', () => {
    expect(decide(mine({ state: 'Stopped' }), keeping, { claim: claimOf(mine()) }).steps).toEqual([]);
  });

  test('keeps its files also when its class has no storage any more', () => {
    const { steps } = decide(mine(), without, { claim: claimOf(mine()) });
    expect(written(steps)).toEqual(['create Pod']);
    expect(made(steps)[0]!.spec.volumes).toEqual([
      { name: 'home', persistentVolumeClaim: { claimName: claimOf(mine()).metadata.name } },
    ]);
  });

  test('that runs with files in its Pod gets no claim before its next start', () => {
    const pod = readyPod(workbench());
    const seen = { ...workbench({ class: 'files' }, runningOn(pod)) };
    const { steps, verdict } = decide(seen, keeping, { pods: [pod] });
    expect(written(steps)).not.toContain('create PersistentVolumeClaim');
    expect(verdict?.restartRequired?.reason).toBe('Edited');
  });
});

describe('a change of retention', () => {
  test.each([
    ['ties the claim to its workbench', deleting, keeping, 1],
    ['frees it', keeping, deleting, 0],
  ])('%s, while it runs and while it is stopped', (_, now, before, references) => {
    const claim = claimOf(mine(), { found: before });
    for (const state of ['Running', 'Stopped'] as const) {
      const { steps } = decide(mine({ state }), now, { claim });
      const patch = patchOf(steps);
      expect(patch['/metadata/resourceVersion']).toBe('5');
      expect(patch['/metadata/ownerReferences']).toHaveLength(references);
    }
  });

  test('is not read from a class that is not there', () => {
    const claim = claimOf(mine(), { found: deleting });
    const seen = { workbench: mine({ state: 'Stopped' }), pods: [], claim };
    expect(plan(seen, settings, NOW).steps).toEqual([]);
  });
});

describe('a kept volume', () => {
  test("becomes the new workbench's, if nobody changes it meanwhile, before the Pod is made", () => {
    const { steps } = decide(named(), keeping, { claim: keptClaim() });
    expect(written(steps)).toEqual(['patch PersistentVolumeClaim', 'create Pod']);
    const patch = patchOf(steps);
    expect(patch['/metadata/resourceVersion']).toBe('5');
    expect(patch['/metadata/labels']).toMatchObject({
      'workbench.h1st.ai/uid': 'uid-1',
      'workbench.h1st.ai/id': 'genome',
    });
  });

  test('does not go with the workbench that had it before', () => {
    expect(
      patchOf(decide(named(), keeping, { claim: keptClaim(deleting) }).steps)['/metadata/ownerReferences'],
    ).toEqual([]);
    const moved = patchOf(decide(named(), deleting, { claim: keptClaim(deleting) }).steps);
    expect(moved['/metadata/ownerReferences']).toEqual([expect.objectContaining({ uid: 'uid-1' })]);
  });

  const stranger = { ...podOf(another()), metadata: { ...podOf(another()).metadata, name: 'lab-pod' } };
  const annotated = (owner: string): Claim => ({
    ...keptClaim(),
    metadata: { ...keptClaim().metadata, annotations: { 'workbench.h1st.ai/owner': owner } },
  });
  test.each<[what: string, seen: Partial<Snapshot>, phase: string, reason: string, message: RegExp]>([
    ['is not there', {}, 'Failed', 'VolumeMissing', /The owner has no volume "kept"/],
    ["is another owner's", { claim: annotated('bob') }, 'Failed', 'VolumeMissing', /The owner has no volume "kept"/],
    ["is nearly this owner's", { claim: annotated('alice ') }, 'Failed', 'VolumeMissing', /no volume/],
    [
      'bears no label of ours',
      { claim: { ...keptClaim(), metadata: { ...keptClaim().metadata, labels: {} } } },
      'Failed',
      'VolumeMissing',
      /no volume/,
    ],
    ['is mounted', { claim: keptClaim(), mountedBy: [stranger] }, 'Pending', 'VolumeInUse', /mounted by Pod "lab-pod"/],
    [
      'is mounted by a Pod on its way out',
      { claim: keptClaim(), mountedBy: [leaving(stranger)] },
      'Pending',
      'VolumeInUse',
      /lab-pod/,
    ],
    ['is promised', { claim: keptClaim(), promisedTo: 'lab' }, 'Pending', 'VolumeInUse', /workbench "lab"/],
    ['is being deleted', { claim: leaving(keptClaim() as never) }, 'Pending', 'VolumeTerminating', /being deleted/],
    [
      'has lost its storage',
      { claim: { ...keptClaim(), status: { phase: 'Lost' } } },
      'Failed',
      'VolumeLost',
      /is gone/,
    ],
  ])('that %s makes no Pod, and says why', (_, seen, phase, reason, message) => {
    const { steps, verdict, recheckAfterMs } = decide(named(), keeping, seen);
    expect(written(steps)).toEqual([]);
    expect(verdict).toMatchObject({ phase, reason, message: expect.stringMatching(message) });
    expect(recheckAfterMs).toBeLessThanOrEqual(10_000);
  });
});

test("somebody else's claim under our name is left alone", () => {
  const claim = { ...claimOf(mine()), metadata: { name: claimName(mine()), uid: 'theirs' } };
  const { steps, verdict } = decide(mine(), keeping, { claim });
  expect(written(steps)).toEqual([]);
  expect(verdict).toMatchObject({ phase: 'Failed', reason: 'NameConflict' });
});

test("a workbench's own volume goes with it to another owner", () => {
  const seen = mine({ owner: 'bob' });
  const patch = patchOf(decide(seen, keeping, { claim: claimOf(mine()) }).steps);
  expect(patch['/metadata/annotations']).toEqual({
    'workbench.h1st.ai/owner': 'bob',
    'workbench.h1st.ai/class': 'files',
  });
});

describe('a volume that another workbench of the old owner has in its spec, too', () => {
  const rival = another();
  const given = (found = keeping, spec: Partial<WorkbenchSpec> = {}): Snapshot => ({
    pods: [],
    workbench: mine({ owner: 'bob', ...spec }),
    claim: claimOf(mine(), { found }),
    rival,
  });

  test.each<[what: string, state: 'Running' | 'Stopped']>([
    ['before anything is mounted', 'Running'],
    ['while it is stopped', 'Stopped'],
  ])('does not go to the new one, and is the other one’s from now on: %s', (_what, state) => {
    const seen = given(deleting, { state });
    const { steps, verdict } = decide(seen.workbench!, keeping, seen);
    expect(steps.filter(({ kind }) => kind === 'PersistentVolumeClaim')).toHaveLength(1);
    expect(written(steps)).not.toContain('create Pod');
    const patch = patchOf(steps);
    expect(patch['/metadata/resourceVersion']).toBe('5');
    expect(patch['/metadata/labels']).toMatchObject({
      'workbench.h1st.ai/uid': 'uid-2',
      'workbench.h1st.ai/id': 'lab',
    });
    expect(patch['/metadata/ownerReferences']).toEqual([]);
    expect(patch).not.toHaveProperty('/metadata/annotations');
    expect(verdict).toMatchObject(state === 'Stopped' ? { phase: 'Stopped' } : { reason: 'NameConflict' });
  });

  test('nor when it was named there: the new owner has no such volume', () => {
    const claim = { ...claimOf(mine()), metadata: { ...claimOf(mine()).metadata, name: 'kept' } };
    const seen = { ...given(keeping, { storage: { claimName: 'kept' } }), claim };
    expect(decide(seen.workbench!, keeping, seen).verdict).toMatchObject({ reason: 'VolumeMissing' });
  });

  test('is left alone where it is the other one’s already, or on its way out', () => {
    for (const claim of [claimOf(another()), leaving(claimOf(mine()) as never)])
      expect(patchOf(decide(mine({ owner: 'bob' }), keeping, { ...given(), claim }).steps)).toEqual({});
  });
});

describe('a volume grows', () => {
  const growth = (
    size: string,
    more: Partial<Seen> = {},
    installation = settings,
    seen = mine({ storage: { size } }),
  ) => homeOf(seen, { claim: claimOf(mine()), ...more }, settingsFor(seen.spec, keeping, installation))!;

  test('when its author asks for more, and a refusal stands in the way of nothing', () => {
    expect(growth('20Gi').steps).toEqual([
      expect.objectContaining({
        isOptional: true,
        patch: [{ op: 'replace', path: '/spec/resources/requests/storage', value: '20Gi' }],
      }),
    ]);
  });

  test('not by itself when its class changes the usual size', () => {
    expect(
      homeOf(mine(), { claim: claimOf(mine()) }, settingsFor({}, withStorage({ size: '50Gi' }), settings))!.steps,
    ).toEqual([]);
  });

  test('never to less, and says so', () => {
    expect(growth('5Gi')).toMatchObject({ steps: [], unresized: { reason: 'VolumeCannotShrink' } });
  });

  test('not beyond what its owner may have', () => {
    const limited = { ...settings, userLimits: { storage: '25Gi' } };
    expect(growth('20Gi', { storageTaken: 5 * 2 ** 30 }, limited).steps).toHaveLength(1);
    expect(growth('20Gi', { storageTaken: 6 * 2 ** 30 }, limited)).toMatchObject({
      steps: [],
      unresized: {
        reason: 'UserLimit',
        message: expect.stringMatching(/other volumes take 6Gi, and this one asks for 20Gi/),
      },
    });
  });

  test('not beyond what its owner may have of its class', () => {
    const limited = { metadata: { name: 'kept' }, spec: { ...keeping.spec, perUser: { storage: '25Gi' } } };
    const grown = (storageTakenOfClass: number) => {
      const seen = mine({ storage: { size: '20Gi' } });
      return homeOf(seen, { claim: claimOf(mine()), storageTakenOfClass }, settingsFor(seen.spec, limited, settings))!;
    };
    expect(grown(5 * 2 ** 30).steps).toHaveLength(1);
    expect(grown(6 * 2 ** 30)).toMatchObject({
      steps: [],
      unresized: {
        reason: 'UserLimit',
        message:
          'The owner may take 25Gi of storage of this class; other volumes of it take 6Gi, and this one asks for 20Gi.',
      },
    });
  });

  test('is asked of the API server once for each spec', () => {
    const condition = {
      type: 'VolumeResized',
      status: 'False' as const,
      reason: 'VolumeCannotGrow',
      message: 'No.',
      observedGeneration: 3,
    };
    const seen = { ...mine({ storage: { size: '20Gi' } }), status: { conditions: [condition] } };
    expect(growth('', {}, settings, seen)).toMatchObject({ steps: [], unresized: { message: 'No.' } });
    const edited = { ...seen, metadata: { ...seen.metadata, generation: 4 } };
    expect(growth('', {}, settings, edited).steps).toHaveLength(1);
  });
});

test('a new volume beyond what its owner may have is not made', () => {
  const limited = { ...settings, userLimits: { storage: '15Gi' } };
  const { steps, verdict } = decide(mine(), keeping, { storageTaken: 6 * 2 ** 30 }, limited);
  expect(written(steps)).toEqual([]);
  expect(verdict).toMatchObject({
    phase: 'Failed',
    reason: 'UserLimit',
    message: expect.stringMatching(/15Gi of storage/),
  });
});

describe('a Pod without a node', () => {
  const unscheduled = (message: string) => ({
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False' as const,
        reason: 'Unschedulable',
        message,
        lastTransitionTime: new Date(NOW).toISOString(),
      },
    ],
  });
  const waiting = 'pod has unbound immediate PersistentVolumeClaims';
  test.each<[what: string, claim: Claim, words: string, reason: string]>([
    [
      'waits for the storage of its volume',
      claimOf(mine(), { status: { phase: 'Pending' } }),
      waiting,
      'VolumePending',
    ],
    [
      'waits for room, and its volume with it',
      claimOf(mine(), { status: { phase: 'Pending' } }),
      '1 Insufficient cpu',
      'Unschedulable',
    ],
    ['has a volume that is being deleted', leaving(claimOf(mine()) as never), waiting, 'VolumeTerminating'],
    ['has a volume that is lost', claimOf(mine(), { status: { phase: 'Lost' } }), waiting, 'VolumeLost'],
  ])('%s, and says so', (_, claim, words, reason) => {
    const { metadata, spec } = buildPod(mine(), settingsFor({}, keeping, settings), {
      class: keeping,
      claim: claim.metadata.name,
    });
    const mounted = { ...podOf(mine(), unscheduled(words)), metadata, spec: spec! };
    expect(decide(mine(), keeping, { claim, pods: [mounted] }).verdict?.reason).toBe(reason);
  });
});
