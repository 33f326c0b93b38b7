import { describe, expect, test } from '@jest/globals';
import { Store } from '../../src/kube/store.ts';
import { ANNOTATION_OWNER, claimName, labels } from '../../src/workbench/identity.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { ingressOf, podOf, serviceOf, workbench } from '../workbench/sample.ts';

const at = <T extends KubeObject>(version: number, object: T, more: Partial<KubeObject['metadata']> = {}): T => ({
  ...object,
  metadata: { ...object.metadata, ...more, resourceVersion: String(version) },
});

function store(): { store: Store; told: string[] } {
  const told: string[] = [];
  const made = new Store();
  made.onChange((key) => told.push(key));
  return { store: made, told };
}

const genome = workbench();
const other: Workbench = at(11, genome, { name: 'other', uid: 'uid-2' });

describe('a snapshot', () => {
  test('of an unknown workbench is empty, whatever bears its name', () => {
    const { store: filled } = store();
    filled.collections.Pod.saw(at(1, podOf(genome)));
    filled.collections.Ingress.saw(at(1, ingressOf(genome)));
    expect(filled.snapshot('genome')).toEqual({ pods: [] });
  });

  test('holds the workbench and its own children, of every run, and nothing of others', () => {
    const { store: filled } = store();
    const [first, second] = [at(21, podOf(genome)), at(22, podOf(workbench({ run: '2' })))];
    const service = at(23, serviceOf(genome));
    const ingress = at(24, ingressOf(genome));
    filled.collections.Workbench.saw(genome);
    filled.collections.Workbench.saw(other);
    for (const pod of [first, second, at(25, podOf(other))]) filled.collections.Pod.saw(pod);
    for (const one of [service, at(26, serviceOf(other))]) filled.collections.Service.saw(one);
    for (const one of [ingress, at(27, ingressOf(other))]) filled.collections.Ingress.saw(one);
    expect(filled.snapshot('genome')).toEqual({ workbench: genome, pods: [first, second], service, ingress });
  });

  test("holds a stranger's Pod that bears the name which ours would have, once", () => {
    const { store: filled } = store();
    const foreign = at(21, podOf(genome), { ownerReferences: [] });
    filled.collections.Workbench.saw(genome);
    filled.collections.Pod.saw(foreign);
    expect(filled.snapshot('genome').pods).toEqual([foreign]);
    filled.collections.Pod.saw(at(22, podOf(genome)));
    expect(filled.snapshot('genome').pods).toHaveLength(1);
  });

  test("holds an earlier namesake's Pod too: whose it is, the plan decides by UID", () => {
    const { store: filled } = store();
    const earlier = podOf(at(1, genome, { uid: 'uid-0' }));
    filled.collections.Workbench.saw(genome);
    filled.collections.Pod.saw(at(21, earlier));
    expect(filled.snapshot('genome').pods.map(({ metadata }) => metadata.name)).toEqual([earlier.metadata.name]);
  });

  test("holds a stranger's Ingress that stands on our path", () => {
    const { store: filled } = store();
    const foreign = at(21, ingressOf(genome), { ownerReferences: [] });
    filled.collections.Workbench.saw(genome);
    filled.collections.Ingress.saw(foreign);
    expect(filled.snapshot('genome').ingress).toEqual(foreign);
  });
});

describe('a listener hears the name of the workbench', () => {
  test.each<[what: string, change: (filled: Store) => void, told: string[]]>([
    ['that changed itself', ({ collections }) => collections.Workbench.saw(genome), ['genome']],
    ['whose Pod changed', ({ collections }) => collections.Pod.saw(at(1, podOf(genome))), ['genome']],
    ['whose Service changed', ({ collections }) => collections.Service.saw(at(1, serviceOf(genome))), ['genome']],
    ['whose Ingress changed', ({ collections }) => collections.Ingress.saw(at(1, ingressOf(genome))), ['genome']],
    [
      "on whose path a stranger's Ingress stands",
      ({ collections }) => collections.Ingress.saw(at(1, ingressOf(genome), { ownerReferences: [] })),
      ['genome'],
    ],
    [
      'whose labels a Pod of nobody bears',
      ({ collections }) => collections.Pod.saw(at(1, podOf(genome), { ownerReferences: [] })),
      ['genome'],
    ],
    [
      'and not of a Pod that belongs to nobody',
      ({ collections }) => collections.Pod.saw(at(1, podOf(genome), { ownerReferences: [], labels: {} })),
      [],
    ],
    [
      'and not of a Pod whose controller is of another kind',
      ({ collections }) =>
        collections.Pod.saw(
          at(1, podOf(genome), {
            labels: {},
            ownerReferences: [
              { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'genome', uid: 'x', controller: true },
            ],
          }),
        ),
      [],
    ],
  ])('%s', (_what, change, expected) => {
    const { store: filled, told } = store();
    change(filled);
    expect(told).toEqual(expected);
  });

  test('that a Pod was taken from by an edit of its owner reference', () => {
    const { store: filled, told } = store();
    filled.collections.Pod.saw(at(1, podOf(genome)));
    filled.collections.Pod.saw(at(2, podOf(genome), { ownerReferences: [] }));
    expect(told).toEqual(['genome', 'genome']);
  });

  test('that lost a Pod to a successor of the same name, and of the one that won it', () => {
    const { store: filled, told } = store();
    const pod = podOf(genome);
    filled.collections.Pod.saw(at(1, pod));
    const won = { ...podOf(other), metadata: { ...podOf(other).metadata, name: pod.metadata.name, uid: 'new' } };
    filled.collections.Pod.saw(at(2, won));
    expect(told.toSorted()).toEqual(['genome', 'genome', 'other']);
  });
});

test('what others share with a user is found without a search, as long as it is shared, and apart from what is their own', () => {
  const { store: filled } = store();
  const { Workbench: workbenches } = filled.collections;
  const share = (...users: string[]) => users.map((user) => ({ user, permission: 'read' as const }));
  workbenches.saw(at(11, workbench({ shares: share('bob', 'alice', '__proto__') })));
  expect(filled.sharedWith('bob')).toHaveLength(1);
  expect(filled.sharedWith('__proto__')).toHaveLength(1);
  expect([filled.sharedWith('alice'), filled.sharedWith('carol'), workbenches.indexed('bob')]).toEqual([[], [], []]);
  workbenches.saw(at(12, workbench({ shares: share('carol') })));
  expect([filled.sharedWith('bob').length, filled.sharedWith('carol').length]).toEqual([0, 1]);
  workbenches.sawDeleted(at(13, genome));
  expect(filled.sharedWith('carol')).toEqual([]);
});

test("a snapshot of what was given to another owner names the old owner's other workbench that has its volume, too", () => {
  const { store: filled } = store();
  const { Workbench: workbenches, PersistentVolumeClaim: claims } = filled.collections;
  const metadata = { name: claimName(genome), uid: 'claim', labels: labels(genome) };
  claims.saw(at(5, { metadata: { ...metadata, annotations: { [ANNOTATION_OWNER]: 'alice' } } }));
  const shared: Workbench = { ...other, spec: { ...other.spec, storage: { claimName: metadata.name } } };
  workbenches.saw(shared);
  workbenches.saw(genome);
  expect(filled.snapshot('genome')).not.toHaveProperty('rival');
  workbenches.saw(at(14, workbench({ owner: 'bob' })));
  expect(filled.snapshot('genome')).toMatchObject({ rival: shared });
  workbenches.saw(at(15, other));
  expect(filled.snapshot('genome')).not.toHaveProperty('rival');
});

test('the workbenches of one owner are found without a search', () => {
  const { store: filled } = store();
  filled.collections.Workbench.saw(genome);
  filled.collections.Workbench.saw(at(12, workbench({ owner: 'bob' }), { name: 'bobs', uid: 'uid-3' }));
  expect(filled.collections.Workbench.indexed('alice')).toEqual([genome]);
});

test('a status of our own is news to whoever shows it, and not to whoever has written it', () => {
  const { store: filled, told } = store();
  const shown: string[] = [];
  filled.onAnyChange((key) => shown.push(key));
  filled.collections.Workbench.saw(at(1, genome));
  filled.collections.Workbench.wrote(at(2, { ...genome, status: { phase: 'Running' } }), true);
  filled.collections.Pod.saw(at(3, podOf(genome)));
  expect(told).toEqual(['genome', 'genome']);
  expect(shown).toEqual(['genome', 'genome', 'genome']);
});
