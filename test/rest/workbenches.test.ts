import { afterEach, describe, expect, test } from '@jest/globals';
import { Cluster } from '../../src/kube/cluster.ts';
import { Store } from '../../src/kube/store.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { Access } from '../../src/rest/access.ts';
import { Workbenches } from '../../src/rest/workbenches.ts';
import type { PatchOperation, Pod } from '../../src/workbench/objects.ts';
import type { Permission, Workbench } from '../../src/workbench/resource.ts';
import { leaving, readyPod, runningOn, settings, workbench } from '../workbench/sample.ts';

/** What is asked of the API server, which has everything as it was seen. */
function answering(calls: string[], live: Workbench): Transport {
  return {
    call: (method: string, _path: string, { body }: { body?: PatchOperation[] } = {}) => {
      calls.push([method, ...(body ?? []).map(({ op, path }) => `${op} ${path}`)].join(', '));
      return Promise.resolve(live);
    },
  } as unknown as Transport;
}

/** Reads only: whatever would go to the API server is a mistake here. */
const unreachable = {} as Transport;
/** Whether the watch is alive. */
let isCurrent = true;
afterEach(() => {
  isCurrent = true;
});
let version = 0;
function versioned<T extends Workbench | Pod>(object: T, name = object.metadata.name): T {
  return { ...object, metadata: { ...object.metadata, name, resourceVersion: String((version += 1)) } };
}

function facade(...objects: Workbench[]): { workbenches: Workbenches; store: Store } {
  return facadeOn(unreachable, ...objects);
}

function facadeOn(transport: Transport, ...objects: Workbench[]): { workbenches: Workbenches; store: Store } {
  const store = new Store();
  for (const object of objects) store.collections.Workbench.saw(object);
  const cluster = new Cluster(transport, store, settings.namespace);
  const access = new Access({ store, cluster, isCurrent: () => isCurrent });
  return { workbenches: new Workbenches({ store, cluster, settings, access }), store };
}

test('what has not changed since the last request is not worked out again', async () => {
  const mine = versioned(workbench());
  const { workbenches, store } = facade(mine);
  const { owner } = mine.spec;
  const item = await workbenches.get(owner, mine.metadata.name);
  expect(await workbenches.get(owner, mine.metadata.name)).toBe(item);
  expect((await workbenches.list(owner))[0]).toBe(item);

  store.collections.Pod.saw(versioned(readyPod(mine)));
  const withPod = await workbenches.get(owner, mine.metadata.name);
  expect(withPod).not.toBe(item);
  expect((await workbenches.list(owner))[0]).toBe(withPod);

  store.collections.Workbench.saw(versioned({ ...mine, spec: { ...mine.spec, displayName: 'Another' } }));
  expect(await workbenches.list(owner)).toMatchObject([{ workbench_name: 'Another' }]);
});

test('a list is in the order of birth, and by name where that is the same', async () => {
  const at = (name: string, creationTimestamp: string) => {
    const object = versioned(workbench(), name);
    return { ...object, metadata: { ...object.metadata, creationTimestamp } };
  };
  const { workbenches } = facade(
    at('c', '2026-11-24T12:00:01Z'),
    at('b', '2026-11-24T12:00:01Z'),
    at('a', '2026-11-24T12:00:02Z'),
    at('d', '2026-11-24T12:00:00Z'),
  );
  const names = (await workbenches.list(workbench().spec.owner)).map(({ workbench_id: id }) => id);
  expect(names).toEqual(['d', 'b', 'c', 'a']);
});

test.each<[what: string, seen: Workbench, writes: RegExp]>([
  ['runs: nothing is to be written', workbench({}, runningOn(readyPod(workbench()))), /status\/phase$/],
  [
    'has failed: a fresh start',
    workbench({}, { phase: 'Failed', observedGeneration: 3 }),
    /status\/phase, add \/spec\/state, add \/spec\/run$/,
  ],
])('a start of what %s, and only if its phase is still the one that was seen', async (_what, seen, writes) => {
  const calls: string[] = [];
  const mine = versioned(seen);
  await facadeOn(answering(calls, mine), mine).workbenches.start(mine.spec.owner, mine.metadata.name);
  expect(calls).toEqual([expect.stringMatching(writes)]);
  expect(calls[0]).toMatch(/^PATCH, test \/metadata\/uid, test \/spec\/owner, test \/metadata\/generation, test /);
});

test('what stands in the way of a stop is looked at live: it may be over, or of another who had the name', async () => {
  const calls: string[] = [];
  const live = versioned(workbench());
  const { workbenches } = facadeOn(answering(calls, live), versioned(leaving(workbench())));
  await workbenches.stop(live.spec.owner, live.metadata.name);
  expect(calls).toEqual(['GET', 'PATCH, test /metadata/uid, test /spec/owner, add /spec/state']);
});

describe('what is shared', () => {
  const shared = (permission: Permission = 'read') => versioned(workbench({ shares: [{ user: 'bob', permission }] }));

  test('is listed for the recipient, who learns what it allows; the owner sees no difference', async () => {
    const theirs = versioned({ ...workbench({ owner: 'bob' }), metadata: { ...workbench().metadata, name: 'lab' } });
    const { workbenches } = facade(shared(), theirs);
    expect(await workbenches.list('bob')).toMatchObject([
      { workbench_id: 'genome', user_id: 'alice', permission: 'read' },
      { workbench_id: 'lab', user_id: 'bob' },
    ]);
    expect((await workbenches.list('bob'))[1]).not.toHaveProperty('permission');
    expect((await workbenches.list('alice'))[0]).not.toHaveProperty('permission');
    expect(await workbenches.get('bob', 'genome')).toMatchObject({ permission: 'read' });
  });

  test('is asked for live while the watch may be behind, and what is not shared any more is not there', async () => {
    isCurrent = false;
    const calls: string[] = [];
    const { workbenches } = facadeOn(answering(calls, versioned(workbench())), shared());
    expect(await workbenches.list('bob')).toEqual([]);
    await expect(workbenches.get('bob', 'genome')).rejects.toMatchObject({ status: 404 });
    expect(calls).toEqual(['GET', 'GET']);
    // The owner's own are answered from the store whatever happens to the watch.
    expect(await workbenches.list('alice')).toHaveLength(1);
    expect(calls).toHaveLength(2);
  });

  test('may be started and stopped by who may write, and only as long as that is so', async () => {
    const calls: string[] = [];
    const seen = shared('read-write');
    const { workbenches } = facadeOn(answering(calls, seen), seen);
    await workbenches.stop('bob', 'genome');
    expect(calls).toEqual(['PATCH, test /metadata/uid, test /spec/shares/0, add /spec/state']);
  });

  test.each<[what: string, permission: Permission, reason: string, act: (of: Workbenches) => Promise<unknown>]>([
    ['a start by a reader', 'read', 'ReadOnly', (of) => of.start('bob', 'genome')],
    ['a stop by a reader', 'read', 'ReadOnly', (of) => of.stop('bob', 'genome')],
    ['a change', 'read-write', 'NotOwner', (of) => of.patch({ user: 'bob', isAdmin: false }, 'genome', {})],
    ['a deletion', 'read-write', 'NotOwner', (of) => of.delete('bob', 'genome')],
  ])('%s is refused with a reason', async (_what, permission, reason, act) => {
    const calls: string[] = [];
    const seen = shared(permission);
    await expect(act(facadeOn(answering(calls, seen), seen).workbenches)).rejects.toMatchObject({
      status: 403,
      reason,
    });
    expect(calls).toEqual(['GET']);
  });
});
