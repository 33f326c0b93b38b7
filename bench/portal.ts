/** Who makes workbenches, with a user of its own: custom resources straight at the API server, so that nobody's REST is measured. */
import { setTimeout as delay } from 'node:timers/promises';
import { collectionPath, objectPath } from '../src/kube/kinds.ts';
import type { Transport } from '../src/kube/transport.ts';
import type { Pod } from '../src/workbench/objects.ts';
import { isReady } from '../src/workbench/phase.ts';
import { API_VERSION, KIND } from '../src/workbench/resource.ts';
import { eventually } from '../test/eventually.ts';
import { inFlight } from './in-flight.ts';

export const NAMESPACE = 'workbenches';
/** An owner has a hundred, so that a list of one owner's is the list of 100. */
const EACH = 100;

/** How long so many launches may take before something is wrong; ms. */
export function patienceMs(launches: number): number {
  return 60_000 + launches * 200;
}

/** A name that no other of this process has. */
let made = 0;
export function newNames(count: number): string[] {
  return Array.from({ length: count }, () => `bench-${(made += 1)}`);
}

export async function createOne(transport: Transport, name: string, owner = 'bench'): Promise<void> {
  const body = { apiVersion: API_VERSION, kind: KIND, metadata: { name }, spec: { owner } };
  await transport.call('POST', collectionPath('Workbench', NAMESPACE), { body, timeoutMs: 60_000 });
}

/**
 * @param owner of all of them; unset: the first hundred belong to "owner-0", and so on
 * @returns their names
 */
export async function createMany(transport: Transport, count: number, owner?: string, atOnce = 32): Promise<string[]> {
  const names = newNames(count);
  const numbered = names.map((name, index) => ({ name, whose: owner ?? `owner-${Math.floor(index / EACH)}` }));
  await inFlight(atOnce, numbered, ({ name, whose }) => createOne(transport, name, whose));
  return names;
}

/** So many a second for so long, whatever becomes of them. @returns their names */
export async function createPaced(transport: Transport, perSecond: number, ms: number): Promise<string[]> {
  const names = newNames(Math.round((perSecond * ms) / 1000));
  const began = performance.now();
  const creations: Promise<void>[] = [];
  for (const [index, name] of names.entries()) {
    await delay(Math.max(began + (index * 1000) / perSecond - performance.now(), 0));
    creations.push(createOne(transport, name));
  }
  await Promise.all(creations);
  return names;
}

export async function setState(
  transport: Transport,
  name: string,
  spec: { state: string; run?: string },
): Promise<void> {
  const contentType = 'application/merge-patch+json';
  await transport.call('PATCH', objectPath('Workbench', NAMESPACE, name), { body: { spec }, contentType });
}

/** As REST does it: it is there until nothing is left of it. */
export async function deleteOne(transport: Transport, name: string): Promise<void> {
  const body = { propagationPolicy: 'Foreground' };
  await transport.call('DELETE', objectPath('Workbench', NAMESPACE, name), { body });
}

/** Made, and not yet up: what whoever waits for nobody has left to the scheduler and the nodes. */
export async function countUnready(transport: Transport): Promise<number> {
  const { items } = await transport.call<{ items: Pod[] }>('GET', collectionPath('Pod', NAMESPACE), {
    timeoutMs: 60_000,
  });
  return items.filter((pod) => !isReady(pod)).length;
}

const SWEPT = [
  collectionPath('Workbench', NAMESPACE),
  collectionPath('Pod', NAMESPACE),
  collectionPath('Service', NAMESPACE),
  collectionPath('Ingress', NAMESPACE),
  `/api/v1/namespaces/${NAMESPACE}/events`,
];
/** Come and go by the hand of the controller manager. */
export const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;

export interface EndpointSlice {
  endpoints?: { conditions?: { ready?: boolean } }[] | null;
}

export function leadsSomewhere({ endpoints }: EndpointSlice): boolean {
  return endpoints?.some(({ conditions }) => conditions?.ready) ?? false;
}

/** Services of which the controller manager has not written yet where they lead: what it is behind. */
export async function countUnrouted(transport: Transport, services: number): Promise<number> {
  const { items } = await transport.call<{ items: EndpointSlice[] }>('GET', SLICES, { timeoutMs: 60_000 });
  return services - items.filter(leadsSomewhere).length;
}

/** Removes everything from the namespace; no controller may be running that would make it anew. */
export async function sweep(transport: Transport): Promise<void> {
  const body = { propagationPolicy: 'Background', gracePeriodSeconds: 0 };
  const isEmpty = async (path: string) => {
    const { items } = await transport.call<{ items: unknown[] }>('GET', path, { query: { limit: 1 } });
    return items.length === 0;
  };
  await Promise.all(
    SWEPT.map(async (path) => {
      // The API server gives up after a minute, in the middle of a large collection.
      while (!(await isEmpty(path)))
        await transport.call('DELETE', path, { body, timeoutMs: 90_000 }).catch(() => undefined);
    }),
  );
  await eventually('without EndpointSlices', () => isEmpty(SLICES), Boolean, 300_000);
}
