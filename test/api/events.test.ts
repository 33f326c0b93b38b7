/** What `kubectl describe` and `kubectl events` tell of a workbench, and what that costs the API server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { CONTROLLER_USER, install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { manifest } from '../manifest.ts';
import { quota } from '../quota.ts';
import { scrape } from '../scrape.ts';
import { podName } from '../../src/workbench/identity.ts';
import type { Pod } from '../../src/workbench/objects.ts';
import type { Workbench } from '../../src/workbench/resource.ts';

let cluster: Cluster;
let installation: Installation;
let alice: Client;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster);
  alice = client(installation.rest, 'alice');
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
});

const kubectl = (args: string[], input?: string) => cluster.kubectl([...args, '-n', 'workbenches'], input);
const writes = async () => (await cluster.audit(CONTROLLER_USER)).filter(({ resource }) => resource === 'events');

/**
 * The rows under "Events:" of kubectl describe: type, reason, age, from, message. Without what is told only where a phase on the
 * way up lasted its second, as on a machine that is busy.
 */
async function described(id: string): Promise<string[][]> {
  const text = await kubectl(['describe', 'wb', id]);
  const [, rows = ''] = text.split(/^Events:\n.*\n.*\n/m);
  return rows
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => row.trim().split(/ {2,}/))
    .filter(([, reason]) => reason !== 'Scheduled');
}

/** As soon as the last of what is described has this reason. */
const untilTold = (id: string, ...reasons: string[]) =>
  eventually(
    `told: ${reasons.join(', ')}`,
    () => described(id),
    (rows) => rows.map(([, reason]) => reason).join() === reasons.join(),
  );

const told = async (id: string) =>
  (await described(id)).map(([type, reason, , , note]) => `${type} ${reason}: ${note}`);

const read = async <T>(kind: string, name: string) => JSON.parse(await kubectl(['get', kind, name, '-o', 'json'])) as T;
const podOf = async (id: string) => read<Pod>('pod', podName(await read<Workbench>('wb', id)));

/** What the metrics say of events. */
async function counted(): Promise<Record<'written' | 'dropped' | 'failed', number>> {
  const { value } = await scrape(installation.health);
  const of = (outcome: string) => value('workbench_controller_events_total', { outcome })!;
  return { written: of('written'), dropped: of('dropped'), failed: of('failed') };
}
const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);

/** Speaks for the simulated kubelet. */
async function setPodStatus({ metadata: { name } }: Pod, status: object): Promise<void> {
  await kubectl(['patch', 'pod', name, '--subresource=status', '--type=strategic', '-p', JSON.stringify({ status })]);
}

const readiness = (status: 'True' | 'False') => ({
  conditions: ['Ready', 'ContainersReady'].map((type) => ({ type, status })),
});

test('a launch, a stop and a start are told in their order, and by kubectl events too', async () => {
  const { workbench_id: id } = await alice.create();
  await alice.until(id, 'running');
  await alice.stop(id);
  await alice.until(id, 'stopped');
  await alice.start(id);
  await alice.until(id, 'running');
  await untilTold(id, 'Running', 'Stopped', 'Running');
  const ran = expect.stringMatching(/^Normal Running: Running after \d+ s on node simulated-\d with \S+:latest\.$/);
  expect(await told(id)).toEqual([ran, 'Normal Stopped: Stopped; its Pod is gone.', ran]);
  const [, ...lines] = (await kubectl(['events', '--for', `workbench/${id}`])).trimEnd().split('\n');
  expect(lines.map((line) => line.split(/\s+/)[2])).toEqual(['Running', 'Stopped', 'Running']);
});

test('the digest that was pulled is told', async () => {
  const { workbench_id: id } = await alice.create();
  await alice.until(id, 'running');
  const digest = `sha256:${'c'.repeat(64)}`;
  const pod = await podOf(id);
  const [container] = pod.status!.containerStatuses!;
  await setPodStatus(pod, { containerStatuses: [{ ...container, imageID: `registry.example/lab@${digest}` }] });
  await untilTold(id, 'Running', 'Pulled');
  expect((await told(id))[1]).toContain(`:latest (${digest}).`);
});

test('a failure is told with its reason, and that it is over', async () => {
  await quota(kubectl, 'pods', 0);
  const id = 'crowded';
  await kubectl(['apply', '-f', '-'], manifest(id));
  await untilTold(id, 'Failed');
  expect((await told(id))[0]).toMatch(
    /^Warning Failed: QuotaExceeded: .* no quota left for the Pod: exceeded quota: small/,
  );
  await kubectl(['delete', 'resourcequota', 'small']);
  await alice.until(id, 'running');
  // In one sentence; in two where a phase on the way up lasted its second, and was published.
  const atOnce = /^Normal Recovered: Running after \d+ s on node \S+ with \S+; QuotaExceeded is over\.$/;
  const inTheEnd = /^Normal Running: Running after \d+ s on node \S+ with \S+\.$/;
  const over = 'Normal Recovered: QuotaExceeded is over; its Pod is made.';
  await eventually(
    'told that it is over',
    () => told(id),
    (rows) => atOnce.test(rows.at(-1) ?? '') || (rows.includes(over) && inTheEnd.test(rows.at(-1) ?? '')),
  );
});

test('readiness that comes and goes is counted on two events, in ever fewer writes', async () => {
  const { workbench_id: id } = await alice.create();
  await alice.until(id, 'running');
  await untilTold(id, 'Running');
  const before = (await writes()).length;
  const pod = await podOf(id);
  for (let round = 0; round < 8; round++) {
    await setPodStatus(pod, readiness('False'));
    await alice.until(id, 'provisioning');
    await setPodStatus(pod, readiness('True'));
    await alice.until(id, 'running');
  }
  await eventually(
    'counted',
    () => described(id),
    (rows) => rows.slice(1).every(([, , age]) => /\(x8 over /.test(age!)),
  );
  expect(await told(id)).toEqual([
    expect.stringContaining('Running after'),
    'Warning Interrupted: NotReady: The workbench has started and does not answer on its port yet.',
    'Normal Recovered: Running; NotReady is over.',
  ]);
  const made = (await writes()).slice(before);
  expect(made.filter(({ verb }) => verb === 'create').length).toBe(2);
  // At 2, 4 and 8; a slow machine adds one for each minute that this takes.
  expect(made.length).toBeLessThan(12);
});

test('a controller that begins to act anew tells nothing again', async () => {
  const before = (await writes()).length;
  await installation.end();
  await installation.start();
  const { workbench_id: id } = await alice.create();
  await alice.until(id, 'running');
  await untilTold(id, 'Running');
  await eventually(
    'one in the log',
    async () => (await writes()).length - before,
    (count) => count === 1,
  );
});

test('three hundred launches at once cost no more than the budget, and a failure amid them is told', async () => {
  const before = (await writes()).length;
  const countedBefore = await counted();
  const began = performance.now();
  const items = await Promise.all(Array.from({ length: 300 }, () => alice.create()));
  await kubectl(['apply', '-f', '-'], manifest('refused', { image: 'elsewhere.example/lab' }));
  await alice.until('refused', 'failed');
  await untilTold('refused', 'Failed');
  for (const { workbench_id: id } of items) await alice.until(id, 'running');
  const made = (await writes()).length - before;
  process.stderr.write(`${made} writes of events for 300 launches\n`);
  expect(made).toBeLessThanOrEqual(50 + (5 * (performance.now() - began)) / 1_000);
  // Each launch is told or counted as not told.
  await eventually('counted', counted, (now) => sum(now) - sum(countedBefore) >= 301);
});

test('no event was refused', async () => {
  // One that came twice, since its answer was late, is there.
  expect((await writes()).filter(({ code }) => code >= 400 && code !== 409)).toEqual([]);
});

test('with WB_EVENTS_PER_SECOND=0 none is written', async () => {
  await installation.end();
  await installation.start({ WB_EVENTS_PER_SECOND: '0' });
  const before = (await writes()).length;
  const { workbench_id: id } = await alice.create();
  await alice.until(id, 'running');
  await alice.stop(id);
  await alice.until(id, 'stopped');
  await delay(500);
  expect(await described(id)).toEqual([]);
  expect((await writes()).length).toBe(before);
});
