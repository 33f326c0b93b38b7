import { expect, test } from '@jest/globals';
import { Cluster } from '../../src/kube/cluster.ts';
import { Store } from '../../src/kube/store.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { Workbenches } from '../../src/rest/workbenches.ts';
import type { Pod } from '../../src/workbench/objects.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { readyPod, settings, workbench } from '../workbench/sample.ts';

/** Reads only: whatever would go to the API server is a mistake here. */
const unreachable = {} as Transport;
let version = 0;
function versioned<T extends Workbench | Pod>(object: T, name = object.metadata.name): T {
  return { ...object, metadata: { ...object.metadata, name, resourceVersion: String((version += 1)) } };
}

function facade(...objects: Workbench[]): { workbenches: Workbenches; store: Store } {
  const store = new Store();
  for (const object of objects) store.collections.Workbench.saw(object);
  const cluster = new Cluster(unreachable, store, settings.namespace);
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
