/** Running is true: whoever is told "running" and opens the URL that instant gets the workbench, never a 404, 502 or 503. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { observe } from '../observer.ts';
import type { Observer } from '../observer.ts';
import { open } from './browser.ts';
import { installForReal } from './installation.ts';
import type { RealInstallation } from './installation.ts';

let world: RealInstallation;
let alice: Client;
let observer: Observer;

beforeAll(async () => {
  world = await installForReal();
  alice = client(world.rest, 'alice');
  observer = await observe(world.cluster.kubeconfig, 'workbenches');
}, 1_800_000);

afterAll(async () => {
  await observer?.stop();
  await world?.teardown();
});

interface Launch {
  ms: number;
  opened: string;
}

/** From POST to the first answer that says running, and what the URL says at that very moment. */
async function launch(): Promise<Launch> {
  const start = performance.now();
  const { workbench_id: id } = await alice.create();
  const item = await alice.until(id, 'running', 180_000);
  const ms = performance.now() - start;
  const page = await open(item.public_endpoint);
  return { ms, opened: `${page.status} ${page.id === id ? 'the workbench' : (page.state ?? 'something else')}` };
}

function spread(launches: Launch[]): string {
  const times = launches.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const at = (share: number) =>
    `${Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))]!)} ms`;
  return `min ${at(0)}, p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}`;
}

async function removeAll(): Promise<void> {
  const items = (await alice.call('GET')).body.items!;
  await Promise.all(items.map(({ workbench_id: id }) => alice.call('DELETE', `/${id}`)));
  for (const { workbench_id: id } of items) await alice.untilGone(id, 180_000);
}

test('twenty-five workbenches, one after the other: each opens at the moment it is called running', async () => {
  const launches: Launch[] = [];
  for (let i = 0; i < 25; i++) {
    launches.push(await launch());
    // A machine of two cores holds a handful; more would measure each other.
    if (i % 5 === 4) await removeAll();
  }
  process.stderr.write(`POST → running, one at a time, 25 launches: ${spread(launches)}\n`);
  expect(launches.map(({ opened }) => opened)).toEqual(Array(25).fill('200 the workbench'));
});

test('fifty workbenches at once: each opens at the moment it is called running', async () => {
  const launches = await Promise.all(Array.from({ length: 50 }, launch));
  process.stderr.write(`POST → running, 50 at once: ${spread(launches)}\n`);
  expect(launches.map(({ opened }) => opened)).toEqual(Array(50).fill('200 the workbench'));
  await removeAll();
});

test('a hundred stops and starts in quick succession: always a fresh Pod, the newest image, one Pod at most', async () => {
  const { workbench_id: id, public_endpoint: url } = await alice.create();
  await alice.until(id, 'running');
  const pods = new Set([(await open(url)).pod]);
  for (let round = 1; round <= 100; round++) {
    const isMilestone = round % 20 === 0;
    if (isMilestone) await world.push(`r${round}`);
    await alice.stop(id);
    // From "in the same millisecond" to "while the Pod is going away".
    if (round % 3 !== 0) await delay(round % 50);
    await alice.start(id);
    if (!isMilestone) continue;
    await alice.until(id, 'running');
    const page = await open(url);
    expect([round, page.status, page.version, pods.has(page.pod)]).toEqual([round, 200, `r${round}`, false]);
    pods.add(page.pod);
  }
  const alive = async () =>
    (
      await world.cluster.kubectl([
        'get',
        'pods',
        '-n',
        'workbenches',
        '-l',
        `workbench.h1st.ai/id=${id}`,
        '-o',
        'name',
      ])
    )
      .trim()
      .split('\n');
  await eventually('one Pod', alive, (names) => names.length === 1);
  expect(await observer.violations()).toEqual([]);
  expect(observer.podsOf(id).size).toBeGreaterThan(5);
});
