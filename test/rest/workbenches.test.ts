import { expect, test } from '@jest/globals';
import { Cluster } from '../../src/kube/cluster.ts';
import { Store } from '../../src/kube/store.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { Workbenches } from '../../src/rest/workbenches.ts';
import type { PatchOperation, Pod } from '../../src/workbench/objects.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
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
  return { workbenches: new Workbenches({ store, cluster, settings }), store };
}

test('what has not changed since the last request is not worked out again', async () => {
  const mine = versioned(workbench());
  const { workbenches, store } = facade(mine);
  const { owner } = mine.spec;
  const item = await workbenches.get(owner, mine.metadata.name);
  expect(await workbenches.get(owner, mine.metadata.name)).toBe(item);
  expect(workbenches.list(owner)[0]).toBe(item);

  store.collections.Pod.saw(versioned(readyPod(mine)));
  const withPod = await workbenches.get(owner, mine.metadata.name);
  expect(withPod).not.toBe(item);
  expect(workbenches.list(owner)[0]).toBe(withPod);

  store.collections.Workbench.saw(versioned({ ...mine, spec: { ...mine.spec, displayName: 'Another' } }));
  expect(workbenches.list(owner)).toMatchObject([{ workbench_name: 'Another' }]);
});

test('a list is in the order of birth, and by name where that is the same', () => {
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
  const names = workbenches.list(workbench().spec.owner).map(({ workbench_id: id }) => id);
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
