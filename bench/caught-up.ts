/** When the control plane has done all that follows from the last write. Watched: to ask again and again would be work of its own. */
import { Collection } from '../src/kube/collection.ts';
import { collectionPath } from '../src/kube/kinds.ts';
import { Reflector } from '../src/kube/reflector.ts';
import type { Transport } from '../src/kube/transport.ts';
import type { KubeObject, Pod } from '../src/workbench/objects.ts';
import { isReady } from '../src/workbench/phase.ts';
import { NAMESPACE, SLICES, leadsSomewhere, patienceMs } from './portal.ts';
import type { EndpointSlice } from './portal.ts';

/** The older kind, which a controller of its own still writes, of the same Services. */
interface Endpoints extends KubeObject {
  subsets?: { addresses?: unknown[] | null }[] | null;
}
const ENDPOINTS = `/api/v1/namespaces/${NAMESPACE}/endpoints`;

/**
 * Resolves when each of so many workbenches has a Pod that is up, and it is written where its Service leads, in both kinds.
 * @throws Error that says what is still to be done, when that takes longer than so many launches may take
 */
export async function untilCaughtUp(transport: Transport, workbenches: number): Promise<void> {
  await Promise.all([
    untilAll<Pod>(transport, collectionPath('Pod', NAMESPACE), workbenches, isReady),
    untilAll<EndpointSlice & KubeObject>(transport, SLICES, workbenches, leadsSomewhere),
    untilAll<Endpoints>(transport, ENDPOINTS, workbenches, hasAddress),
  ]);
}

function hasAddress({ subsets }: Endpoints): boolean {
  return subsets?.some(({ addresses }) => addresses?.length) ?? false;
}

async function untilAll<T extends KubeObject>(
  transport: Transport,
  path: string,
  count: number,
  isDone: (object: T) => boolean,
): Promise<void> {
  const over = new AbortController();
  const undone = new Set<string>();
  let isCaughtUp = false;
  const collection = new Collection<T>({
    onChange(object) {
      const { name } = object.metadata;
      // What was removed is told of as well, and is there no more.
      if (collection.get(name) && !isDone(object)) undone.add(name);
      else undone.delete(name);
      if (undone.size > 0 || collection.size < count) return;
      isCaughtUp = true;
      over.abort();
    },
  });
  const reflector = new Reflector<T>({
    info: { kind: path, trim: (object) => object },
    path,
    transport,
    collection,
    signal: over.signal,
    onProblem: ({ error }) => process.stderr.write(`the watch of ${path}: ${String(error)}\n`),
  });
  const late = setTimeout(() => over.abort(), patienceMs(count));
  await reflector.run().finally(() => clearTimeout(late));
  if (!isCaughtUp)
    throw new Error(`${collection.size - undone.size} of ${Math.max(count, collection.size)} are done: ${path}`);
}
