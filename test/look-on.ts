/**
 * In every test of `api` and `e2e` an observer looks on at each namespace for which a controller is installed, and whatever
 * must never be fails the test after which it is seen.
 */
import { afterAll, afterEach, expect } from '@jest/globals';
import type { Cluster } from './cluster/cluster.ts';
import { onInstall } from './installation.ts';
import { observe } from './observer.ts';
import type { Observer } from './observer.ts';

const watched = new Map<string, Promise<void>>();
/** Those that have seen all that there is. */
const looking = new Set<Observer>();
/** Sentences that have failed a test. */
const told = new Set<string>();

/** @returns resolves when it looks on: where a kind is not there yet, not before it is */
export async function lookOn(cluster: Cluster, namespace: string): Promise<void> {
  const key = `${cluster.dir} ${namespace}`;
  const known =
    watched.get(key) ?? observe(cluster.kubeconfig, namespace).then((observer) => void looking.add(observer));
  watched.set(key, known);
  await known;
}

onInstall(lookOn);

/** What must never be, and has not been told yet. */
async function violations(): Promise<string[]> {
  const all = (await Promise.all([...looking].map((observer) => observer.violations()))).flat();
  const unheard = [...new Set(all)].filter((sentence) => !told.has(sentence));
  for (const sentence of unheard) told.add(sentence);
  return unheard;
}

afterEach(async () => expect(await violations()).toEqual([]));

// Before the hooks of the test file, so while its cluster is there. What was seen late is the last test's, or its clearing up.
afterAll(async () => {
  const late = await violations();
  await Promise.all([...looking].map((observer) => observer.stop()));
  expect(late).toEqual([]);
});
