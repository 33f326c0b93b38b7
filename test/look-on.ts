/**
 * In every test of `api` and `e2e` an observer looks on at each namespace for which a controller is installed, and whatever
 * must never be fails the test after which it is seen.
 */
import { afterAll, afterEach, expect } from '@jest/globals';
import type { Cluster } from './cluster/cluster.ts';
import { onInstall } from './installation.ts';
import { observe } from './observer.ts';
import type { Observer } from './observer.ts';

interface Watched {
  observer: Observer;
  /** Violations of tests before this one. */
  told: number;
}

const watched = new Map<string, Promise<Watched>>();
/** Those that have seen all that there is. */
const looking = new Set<Watched>();

/** @returns resolves when it looks on: where a kind is not there yet, not before it is */
export async function lookOn(cluster: Cluster, namespace: string): Promise<void> {
  const key = `${cluster.dir} ${namespace}`;
  const known =
    watched.get(key) ??
    observe(cluster.kubeconfig, namespace).then((observer) => {
      const one = { observer, told: 0 };
      looking.add(one);
      return one;
    });
  watched.set(key, known);
  await known;
}

onInstall(lookOn);

afterEach(async () => {
  for (const one of looking) {
    const violations = await one.observer.violations();
    const before = one.told;
    one.told = violations.length;
    expect(violations.slice(before)).toEqual([]);
  }
});

// Before the hooks of the test file, so while its cluster is there.
afterAll(async () => {
  await Promise.all([...looking].map(({ observer }) => observer.stop()));
});
