/** The API server goes, comes back, loses connections; the controller ends and starts again. Nothing is lost or doubled. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { CONTROLLER_USER, applyKind, install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { tcpProxy } from '../tcp-proxy.ts';
import type { TcpProxy } from '../tcp-proxy.ts';

let cluster: Cluster;
let proxy: TcpProxy;
let installation: Installation;
let alice: Client;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  proxy = await tcpProxy(cluster.server);
  installation = await install(cluster, { server: proxy.url });
  alice = client(installation.rest, 'alice');
  await alice.until((await alice.create()).workbench_id, 'running');
});

afterAll(async () => {
  await installation?.end();
  await proxy?.close();
  await cluster?.stop();
});

const kubectl = (args: string[], input?: string) => cluster.kubectl([...args, '-n', 'workbenches'], input);
const manifest = (name: string) =>
  `{"apiVersion":"workbench.h1st.ai/v1","kind":"Workbench","metadata":{"name":"${name}"},"spec":{"owner":"alice"}}`;
const lists = async () => (await cluster.audit(CONTROLLER_USER)).filter(({ verb }) => verb === 'list').length;

/** Creates until one succeeds, as a portal would on a 503. */
async function createPatiently(): Promise<string> {
  const answer = await eventually(
    'created',
    () => alice.call('POST'),
    ({ status }) => status !== 503,
  );
  expect(answer.status).toBe(201);
  return answer.body.item!.workbench_id;
}

describe('connections to the API server', () => {
  test('that are reset again and again lose no workbench, double no Pod, and cost no new list', async () => {
    const before = await lists();
    const ids: string[] = [];
    for (let round = 0; round < 20; round++) {
      ids.push(await createPatiently());
      proxy.cut();
    }
    for (const id of ids) await alice.until(id, 'running');
    expect(await lists()).toBe(before);
  });

  test('that are refused for a while: reads are answered from the cache, writes say 503, and afterwards all goes on', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    proxy.refuse();
    expect((await alice.get(id)).status).toBe('running');
    const refused = await alice.call('POST');
    expect([refused.status, refused.body.error!.reason, refused.headers.get('retry-after')]).toEqual([
      503,
      'ClusterUnavailable',
      '2',
    ]);
    expect((await alice.call('POST', `/${id}/stop`)).status).toBe(503);
    expect((await fetch(`${installation.health}/livez`)).status).toBe(200);
    await kubectl(['apply', '-f', '-'], manifest('meanwhile'));
    await kubectl(['delete', 'wb', id, '--wait=false']);
    await delay(3_000);
    proxy.accept();
    await alice.until('meanwhile', 'running');
    await alice.untilGone(id);
  });
});

test('the kind is deleted, with all workbenches, and comes back: the controller goes on, and one that starts meanwhile waits', async () => {
  await cluster.kubectl(['delete', 'crd', 'workbenches.workbench.h1st.ai']);
  await eventually(
    'empty',
    () => alice.call('GET'),
    ({ body }) => body.items?.length === 0,
  );
  await installation.end('SIGTERM');
  const starting = installation.start();
  await eventually(
    'waiting for the kind',
    () => fetch(`${installation.health}/readyz`).then((answer) => answer.text(), String),
    (text) => /workbenches/.test(text) && !/pods/.test(text),
  );
  await applyKind(cluster);
  await starting;
  await kubectl(['apply', '-f', '-'], manifest('after'));
  await alice.until('after', 'running');
});

describe('the controller', () => {
  test('ends at SIGTERM with code 0, and goes on where it was', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await alice.create()).workbench_id));
    expect(await installation.end('SIGTERM')).toBe(0);
    await installation.start();
    for (const id of ids) await alice.until(id, 'running');
  });

  test('killed at any moment of twenty launches and stops leaves one Pod each, and none for the stopped', async () => {
    for (let round = 0; round < 5; round++) {
      const items = await Promise.all(Array.from({ length: 4 }, () => createPatiently()));
      await delay(round * 15);
      await installation.end('SIGKILL');
      await installation.start();
      const [stopped, ...kept] = items;
      await alice.stop(stopped!);
      await installation.end('SIGKILL');
      await installation.start();
      for (const id of kept) await alice.until(id, 'running');
      await alice.until(stopped!, 'stopped');
      for (const [id, count] of [[stopped!, 0], ...kept.map((id) => [id, 1] as const)] as const) {
        const names = await kubectl(['get', 'pods', '-l', `workbench.h1st.ai/id=${id}`, '-o', 'name']);
        expect([id, names.split('\n').filter(Boolean).length]).toEqual([id, count]);
      }
    }
  });
});
