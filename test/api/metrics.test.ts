/** What a Prometheus sees of an installation, against what the API server's audit log says of it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { CONTROLLER_USER, install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { LONG_LEASE } from '../lease.ts';
import { scrape } from '../scrape.ts';
import type { Scrape } from '../scrape.ts';
import { KINDS } from '../../src/kube/kinds.ts';

const PREFIX = 'workbench_controller_';

let cluster: Cluster;
let installation: Installation;
const ids: string[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster, { env: LONG_LEASE });
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
});

const ours = async () => {
  const all = await scrape(installation.health);
  return { ...all, value: (name: string, labels?: Record<string, string>) => all.value(PREFIX + name, labels) };
};

/** This many new workbenches of a user, of which the first is stopped and started again. */
async function launch(user: string, count: number): Promise<void> {
  const { create, until, stop, start } = client(installation.rest, user);
  const made = await Promise.all(Array.from({ length: count }, async () => (await create()).workbench_id));
  ids.push(...made);
  for (const id of made) await until(id, 'running');
  await stop(made[0]!);
  await until(made[0]!, 'stopped');
  await start(made[0]!);
  await until(made[0]!, 'running');
}

/** "create pods 201" → count, of what has ended; a watch and the lease never stand still. */
function calls({ series }: Scrape): Record<string, number> {
  const counted = series.filter(
    ({ name, labels }) =>
      name === `${PREFIX}api_calls_total` && labels.verb !== 'watch' && labels.resource !== 'leases',
  );
  return Object.fromEntries(
    counted.map(({ labels, value }) => [`${labels.verb} ${labels.resource} ${labels.code}`, value]),
  );
}

async function audited(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { verb, resource, subresource, code } of await cluster.audit(CONTROLLER_USER)) {
    if (verb === 'watch' || resource === 'leases') continue;
    const call = `${verb} ${resource}${subresource ? `/${subresource}` : ''} ${code}`;
    counts[call] = (counts[call] ?? 0) + 1;
  }
  return counts;
}

test('launches, workbenches and objects are counted', async () => {
  await launch('alice', 3);
  // The watch may have brought the last status before its own write was answered.
  const { value } = await eventually(
    'counted',
    ours,
    ({ value: now }) => now('launch_duration_seconds_count', { phase: 'Running' }) === 4,
  );
  const launches = { Starting: 4, Running: 4, Failed: 0 };
  for (const [phase, count] of Object.entries(launches))
    expect([phase, value('launch_duration_seconds_count', { phase })]).toEqual([phase, count]);
  expect(value('launch_duration_seconds_sum', { phase: 'Running' })).toBeGreaterThan(0);
  expect(value('workbenches', { phase: 'Running' })).toBe(3);
  expect(value('workbenches')).toBe(3);
  for (const kind of ['Workbench', 'Pod', 'Service', 'Ingress'])
    expect([kind, value('store_objects', { kind })]).toEqual([kind, 3]);
  expect(value('reconcile_duration_seconds_count', { outcome: 'done' })).toBeGreaterThan(0);
  expect(value('reconcile_duration_seconds_count', { outcome: 'failed' })).toBe(0);
  expect([value('queue_depth'), value('queue_oldest_age_seconds')]).toEqual([0, 0]);
});

test('every call to the API server is counted as its audit log has it', async () => {
  const seen = await eventually(
    'the same in both',
    async () => ({ counted: calls(await ours()), log: await audited() }),
    ({ counted, log }) => isDeepStrictEqual(counted, log),
  );
  expect(seen.counted).toMatchObject({ 'create pods 201': 4, 'create workbenches 201': 3 });
});

test('it leads, and its watches are in order: one list each, none of them lost', async () => {
  const { value, series } = await ours();
  expect(value('leader')).toBe(1);
  expect(value('lease_transitions_total', { to: 'acting' })).toBe(1);
  expect([value('lease_transitions_total', { to: 'waiting' }), value('lease_failures_total')]).toEqual([0, 0]);
  const ages = series.filter(({ name }) => name === `${PREFIX}watch_last_event_age_seconds`);
  expect(new Set(ages.map(({ labels }) => labels.kind))).toEqual(new Set([...Object.keys(KINDS), 'PageIngress']));
  expect(Math.max(...ages.map(({ value: age }) => age))).toBeLessThan(75);
  // A new leader has asked for those that were older than five seconds when it had the lease.
  for (const [cause, count] of Object.entries({ first: ages.length, lost: 0, due: 0 }))
    expect([cause, value('watch_lists_total', { cause })]).toEqual([cause, count]);
  expect(value('watch_interruptions_total')).toBe(0);
});

test('event-loop delay, memory and CPU time of the process are there', async () => {
  const { series } = await ours();
  const names = new Set(series.map(({ name }) => name));
  for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes', 'process_cpu_seconds_total'])
    expect(names).toContain(name);
});

test('more users and workbenches mean no more series, and no label holds a name of theirs', async () => {
  // The lease's first renewal may come in between, and so may a code that the API server has not answered before.
  const names = ({ series }: Scrape) => {
    const steady = series.filter(({ name, labels }) => name.startsWith(PREFIX) && labels.resource !== 'leases');
    return new Set(steady.map(({ name, labels }) => `${name} ${JSON.stringify({ ...labels, code: undefined })}`));
  };
  const before = names(await ours());
  await launch('bob', 4);
  const after = await eventually(
    'counted',
    ours,
    ({ value }) => value('launch_duration_seconds_count', { phase: 'Running' }) === 9,
  );
  expect(names(after)).toEqual(before);
  for (const word of ['alice', 'bob', ...ids]) expect(after.text).not.toContain(word);
});
