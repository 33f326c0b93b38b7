/** Waits and pages against a real API server: what a client of a long list or of a slow start does instead of polling. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../eventually.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { scrape } from '../scrape.ts';

let cluster: Cluster;
let installation: Installation;
/** Acts not, so it hears of every status by its watch. */
let other: Installation;
let alice: Client;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  const env = { RESTAPI_URL_PREFIX: '/api/v1' };
  installation = await install(cluster, { env: { ...env, POD_NAME: 'a' } });
  other = await install(cluster, { env: { ...env, POD_NAME: 'b' }, hasKind: true });
  alice = client(`${installation.rest}/api/v1`, 'alice');
});

afterAll(async () => {
  await Promise.all([installation?.end(), other?.end()]);
  await cluster?.stop();
});

const wait = (id: string, statuses: string, timeout = '60') =>
  alice.call('GET', `/${id}`, undefined, { query: { wait: statuses, timeout } });

test('one call waits until it runs, one until it is stopped, and the API server is asked nothing for it', async () => {
  const { workbench_id: id } = await alice.create();
  expect(await wait(id, 'running')).toMatchObject({ status: 200, body: { item: { status: 'running' } } });
  const reads = async () =>
    (await scrape(installation.health)).value('workbench_controller_api_calls_total', {
      verb: 'get',
      resource: 'workbenches',
    });
  const before = await reads();
  const elsewhere = client(`${other.rest}/api/v1`, 'alice');
  const stopped = [wait(id, 'stopped'), elsewhere.call('GET', `/${id}`, undefined, { query: { wait: 'stopped' } })];
  await alice.stop(id);
  for (const answer of await Promise.all(stopped))
    expect(answer).toMatchObject({ status: 200, body: { item: { status: 'stopped' } } });
  const busy = await wait(id, 'running', '1');
  expect(busy).toMatchObject({ status: 200, body: { item: { status: 'stopped' } } });
  expect(await reads()).toBe(before);
});

test('what is deleted while one waits is 404, and so is what is not one’s own', async () => {
  const { workbench_id: id } = await alice.create();
  await wait(id, 'running');
  const gone = wait(id, 'stopped,failed');
  await alice.call('DELETE', `/${id}`);
  expect(await gone).toMatchObject({ status: 404, body: { error: { reason: 'NotFound' } } });
  const { workbench_id: foreign } = await client(`${installation.rest}/api/v1`, 'bob').create();
  expect((await wait(foreign, 'running')).status).toBe(404);
});

test('SIGTERM answers who waits with the item as it is, and the process ends', async () => {
  const { workbench_id: id } = await alice.create();
  await wait(id, 'running');
  const waits = Array.from({ length: 20 }, () => wait(id, 'failed', '300'));
  // Whichever of them has not come by now is answered all the same.
  await alice.get(id);
  const ended = installation.end();
  for (const { status, body } of await Promise.all(waits))
    expect([status, body.item]).toMatchObject([200, { status: 'running' }]);
  expect(await ended).toBe(0);
  await installation.start();
  await other.end();
});

test('a list comes in pages and parts, with what is wrong named', async () => {
  const carol = client(`${installation.rest}/api/v1`, 'carol');
  const made: string[] = [];
  for (let i = 0; i < 7; i += 1) made.push((await carol.create()).workbench_id);
  await Promise.all(made.slice(0, 3).map((id) => carol.stop(id)));
  await Promise.all(made.slice(0, 3).map((id) => carol.until(id, 'stopped')));
  await Promise.all(made.slice(3).map((id) => carol.until(id, 'running')));
  const list = async (query: Record<string, string> = {}) => (await carol.call('GET', '', undefined, { query })).body;
  const all = (await list()).items!.map(({ workbench_id: id }) => id);
  expect(all.toSorted()).toEqual(made.toSorted());
  const paged: string[] = [];
  let next: string | undefined;
  do {
    const page = await list({ limit: '3', ...(next === undefined ? {} : { continue: next }) });
    paged.push(...page.items!.map(({ workbench_id: id }) => id));
    next = page.continue;
  } while (next !== undefined);
  expect(paged).toEqual(all);
  expect((await list({ status: 'stopped' })).items).toHaveLength(3);
  expect((await list({ status: 'stopped,running', colour: 'red' })).items).toHaveLength(7);
  expect((await list({ class: 'gpu' })).items).toEqual([]);
  expect((await list({ status: 'up' })).error).toMatchObject({ message: expect.stringMatching(/^status: /) });
});

test('a client that goes away while it waits leaves nothing behind', async () => {
  const { workbench_id: id } = await alice.create();
  await wait(id, 'running');
  const going = new AbortController();
  const url = `${installation.rest}/api/v1/workbenches/${id}?user_id=alice&wait=failed&timeout=300`;
  const waits = Array.from({ length: 100 }, () => fetch(url, { signal: going.signal }).catch(() => undefined));
  const full = await eventually(
    'full',
    () => wait(id, 'failed', '0'),
    ({ status }) => status === 429,
  );
  expect(full.body.error).toMatchObject({ reason: 'TooManyStreams' });
  expect(full.headers.get('retry-after')).toBe('5');
  going.abort();
  await Promise.all(waits);
  await eventually(
    'free again',
    () => wait(id, 'failed', '0'),
    ({ status }) => status === 200,
  );
});
