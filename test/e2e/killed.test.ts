/** What dies comes back, as what it was, and the status tells the truth meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Workbench } from '../../src/workbench/resource.ts';
import { client } from '../client.ts';
import type { Client, Item } from '../client.ts';
import { eventually } from '../eventually.ts';
import { glance } from './browser.ts';
import { installForReal } from './installation.ts';
import type { RealInstallation } from './installation.ts';
import { componentOf, processOf } from './processes.ts';
import { witness } from './truth.ts';
import type { Witness } from './truth.ts';

/** What the kubelet may take to notice a death; nobody can tell sooner. It looks each second; a busy machine is late. */
const NOTICE_MS = 15_000;

let world: RealInstallation;
let alice: Client;

beforeAll(async () => {
  world = await installForReal();
  alice = client(world.rest, 'alice');
}, 1_800_000);

afterAll(async () => {
  await world?.teardown();
});

const kubectl = (args: string[], input?: string) => world.cluster.kubectl([...args, '-n', 'workbenches'], input);
const read = async (name: string) => JSON.parse(await kubectl(['get', 'wb', name, '-o', 'json'])) as Workbench;

/** A workbench that runs, and what is said of it until it is ended. */
interface Life {
  id: string;
  url: string;
  before: Workbench;
  truth: Witness;
}

async function begin(): Promise<Life> {
  const { workbench_id: id, public_endpoint: url } = await alice.create();
  await alice.until(id, 'running');
  return { id, url, before: await read(id), truth: witness(alice, id, url) };
}

/** @param deaths how often it was killed: as often nobody could know yet */
async function end({ id, truth }: Life, deaths = 1): Promise<void> {
  const { samples, running, untruths, said } = await truth.testify();
  const spells = untruths.map(({ ms, got }) => `${ms} ms of ${got.join(', ')}`).join('; ');
  process.stderr.write(
    `${samples} samples, ${running} "running"; without the page: ${spells || 'never'}; ${said.join(' → ')}\n`,
  );
  await alice.call('DELETE', `/${id}`);
  await alice.untilGone(id);
  expect(untruths.filter(({ ms }) => ms > NOTICE_MS)).toEqual([]);
  expect(untruths.length).toBeLessThanOrEqual(deaths);
}

const podOf = async ({ id }: Life) =>
  (await kubectl(['get', 'pods', '-l', `workbench.h1st.ai/id=${id}`, '-o', 'name'])).trim();

/** Running again, and what it runs is what it ran. */
async function untilBack({ id, url, before }: Life): Promise<Workbench> {
  const opened = await eventually(
    'open again',
    () => glance(url),
    ({ status }) => status === 200,
  );
  expect(opened).toMatchObject({ id, version: 'v1' });
  await alice.until(id, 'running');
  const after = await read(id);
  expect(after.status!.image).toEqual(before.status!.image);
  return after;
}

describe('a Pod', () => {
  const untilReplaced = async (life: Life) => {
    const isNew = ({ status }: Workbench) =>
      status!.podUID !== undefined && status!.podUID !== life.before.status!.podUID && status!.phase === 'Running';
    await eventually('replaced', () => read(life.id), isNew);
    await untilBack(life);
  };
  const remove = async (life: Life, ...how: string[]) => kubectl(['delete', await podOf(life), '--wait=false', ...how]);
  const evict = async (life: Life) => {
    const name = (await podOf(life)).replace('pod/', '');
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'workbenches' } };
    const path = `/api/v1/namespaces/workbenches/pods/${name}/eviction`;
    await kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
  };

  test.each([
    ['deleted by hand', remove],
    ['deleted without grace', (life: Life) => remove(life, '--grace-period=0', '--force')],
    ['evicted, as a drain does it', evict],
  ])('that is %s comes back with the digest that it had, though the tag has moved on', async (_, take) => {
    await world.push('v1');
    const life = await begin();
    await world.push('v2');
    await take(life);
    await untilReplaced(life);
    await end(life);
  });

  test('that its node evicts, since it wrote too much, is replaced with the digest that it had', async () => {
    await world.push('v1');
    const life = await begin();
    await world.push('v2');
    const written = await fetch(`${life.url}/files/big`, { method: 'PUT', body: Buffer.alloc(80 * 1024 * 1024) });
    expect(written.ok).toBe(true);
    // Whether the kubelet still says "Evicted" when the process has ended is a race that it often loses.
    await eventually(
      'ended',
      () => alice.get(life.id),
      ({ status_reason: reason }) => reason === 'Evicted' || reason === 'PodFailed',
    );
    await untilReplaced(life);
    await end(life);
  });
});

describe('the process of a workbench', () => {
  const exit = (code: number) => (life: Life) => fetch(`${life.url}/exit?code=${code}`, { method: 'POST' });
  const ends: [how: (life: Life) => unknown, reason: string, message: RegExp][] = [
    [({ id }) => process.kill(processOf(id), 'SIGKILL'), 'CrashLoopBackOff', /process ended with exit code 137/],
    [exit(3), 'CrashLoopBackOff', /process ended with exit code 3/],
    [exit(0), 'Exited', /exit code 0; it must keep running/],
    [
      ({ url }) => fetch(`${url}/eat?mb=300`, { method: 'POST' }).catch(() => undefined),
      'OOMKilled',
      /its limit of 128Mi/,
    ],
  ];

  async function endTwice([how, reason, message]: (typeof ends)[number]): Promise<void> {
    const life = await begin();
    const { id, url, before } = life;
    await how(life);
    const restarts = async () =>
      kubectl(['get', await podOf(life), '-o', 'jsonpath={.status.containerStatuses[0].restartCount}']);
    await eventually('restarted', restarts, (count) => count === '1');
    await untilBack(life);
    await how(life);
    // The kubelet restarts at once after the first end, and backs off after the second.
    const isFailed = (item: Item) => item.status === 'failed' && item.status_reason === reason;
    const failed = await eventually(reason, () => alice.get(id), isFailed);
    expect(failed.status_message).toMatch(message);
    let deaths = 2;
    // The kubelet may be quicker than the route; after another end it waits for longer.
    const page = await eventually(
      'the page',
      async () => {
        const seen = await glance(url);
        if (seen.status === 200) {
          deaths += 1;
          await how(life);
        }
        return seen;
      },
      ({ state }) => state === 'failed',
    );
    expect(page.text).toMatch(message);
    expect((await untilBack(life)).status!.podUID).toBe(before.status!.podUID);
    await end(life, deaths);
  }

  test('is restarted in its Pod, killed, ended with and without an error, or out of memory; when that happens again the reason is told, also on its page, until it is back', async () => {
    await world.push('v1');
    await Promise.all(ends.map(endTwice));
  });
});

describe('the node', () => {
  test('is lost: the status says so; it comes back, and so does the workbench, in the same Pod', async () => {
    await world.push('v1');
    const life = await begin();
    const kubelet = componentOf(world.cluster.dir, 'kubelet');
    process.kill(kubelet, 'SIGSTOP');
    try {
      // The control plane gives a node fifty seconds.
      await eventually(
        'lost',
        () => alice.get(life.id),
        ({ status_reason: reason }) => reason === 'NodeLost',
      );
    } finally {
      process.kill(kubelet, 'SIGCONT');
    }
    expect((await untilBack(life)).status!.podUID).toBe(life.before.status!.podUID);
    await end(life);
  });
});
