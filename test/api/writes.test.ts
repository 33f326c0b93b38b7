/** What the controller costs the API server, counted in its audit log by the controller's own user. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster } from '../cluster/cluster.ts';
import type { AuditEntry, Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { CONTROLLER_USER, install } from '../installation.ts';
import type { Installation } from '../installation.ts';

let cluster: Cluster;
let installation: Installation;
let alice: Client;
const made: string[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster);
  alice = client(installation.rest, 'alice');
  // The first one waits for informers of the whole cluster; counting begins with a cluster that is warm.
  await alice.until((await alice.create()).workbench_id, 'running');
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
});

const WRITES = ['create', 'update', 'patch', 'delete'];
/** A renewal every two seconds, whatever there is to do, is the price of a second replica. */
const isWrite = ({ verb, resource }: AuditEntry) => WRITES.includes(verb) && resource !== 'leases';
/** Counted apart: they are on a budget of their own, and come when there is time. */
const isEvent = ({ resource }: AuditEntry) => resource === 'events';
const isRead = ({ verb, resource }: AuditEntry) => (verb === 'get' || verb === 'list') && resource !== 'leases';
/** The REST facade writes as the same user: spec is its half, the controller's is everything else. */
const isFacade = ({ resource, subresource }: AuditEntry) => resource === 'workbenches' && !subresource;

const STATUS = 'patch workbenches/status';

interface Cost {
  writes: Record<string, number>;
  events: number;
  reads: number;
  failed: number;
}

/** Resolves when what happened so far is told. */
async function untilTold(): Promise<void> {
  const told = async () => (await cluster.audit(CONTROLLER_USER)).filter(isEvent).length;
  for (let before = -1, now = await told(); before !== now; now = await told()) {
    before = now;
    await delay(500);
  }
}

/** What leads up is told when it lasts a second, and a stop after this; ms. */
const UP = 1_000;
const DOWN = 300;

/**
 * What the controller wrote and read while `action` ran, as "verb resource" → count.
 * @param statuses how many of a status it usually costs: a phase that lasts is told, so on a machine that is slow each `phase`
 * milliseconds may add one, which is not counted
 */
async function calls(action: () => Promise<unknown>, statuses = Infinity, phase = UP): Promise<Cost> {
  await untilTold();
  const before = (await cluster.audit(CONTROLLER_USER)).length;
  const began = performance.now();
  await action();
  const slow = Math.floor((performance.now() - began) / phase);
  // The log is written when a call ends; nothing but Events follows the last status.
  await delay(500);
  await untilTold();
  const entries = (await cluster.audit(CONTROLLER_USER)).slice(before);
  const ours = entries.filter((entry) => isWrite(entry) && !isFacade(entry) && !isEvent(entry));
  const names = ours.map(
    ({ verb, resource, subresource }) => `${verb} ${resource}${subresource ? `/${subresource}` : ''}`,
  );
  const writes = Object.fromEntries(
    [...new Set(names)].map((name) => [name, names.filter((other) => other === name).length]),
  );
  const told = writes[STATUS] ?? 0;
  const usual = told - Math.min(Math.max(told - statuses, 0), slow);
  if (usual > 0) writes[STATUS] = usual;
  else delete writes[STATUS];
  return {
    writes,
    events: entries.filter(isEvent).length,
    reads: entries.filter(isRead).length,
    failed: entries.filter(({ code }) => code >= 400).length,
  };
}

describe('on simulated nodes, where no phase lasts a second', () => {
  test('a launch costs four writes, one event and no read', async () => {
    const cost = await calls(async () => {
      made.push((await alice.create()).workbench_id);
      await alice.until(made[0]!, 'running');
    }, 1);
    expect(cost).toEqual({
      writes: { 'create pods': 1, 'create services': 1, 'create ingresses': 1, 'patch workbenches/status': 1 },
      events: 1,
      reads: 0,
      failed: 0,
    });
  });

  test('a stop costs three', async () => {
    const cost = await calls(
      async () => {
        await alice.stop(made[0]!);
        await alice.until(made[0]!, 'stopped');
      },
      1,
      DOWN,
    );
    expect(cost).toEqual({
      writes: { 'delete ingresses': 1, 'delete pods': 1, 'patch workbenches/status': 1 },
      events: 1,
      reads: 0,
      failed: 0,
    });
  });

  test('a second start costs three', async () => {
    const cost = await calls(async () => {
      await alice.start(made[0]!);
      await alice.until(made[0]!, 'running');
    }, 1);
    expect(cost).toEqual({
      writes: { 'create pods': 1, 'create ingresses': 1, 'patch workbenches/status': 1 },
      events: 1,
      reads: 0,
      failed: 0,
    });
  });

  test('a start and a stop of what is so already cost nothing', async () => {
    const { writes, events } = await calls(async () => {
      await alice.start(made[0]!);
      await alice.start(made[0]!);
    });
    expect({ writes, events }).toEqual({ writes: {}, events: 0 });
  });

  test('a delete costs nothing: the garbage collector does it', async () => {
    const { writes, events } = await calls(
      async () => {
        await alice.call('DELETE', `/${made[0]!}`);
        await alice.untilGone(made[0]!);
      },
      0,
      DOWN,
    );
    expect({ writes, events }).toEqual({ writes: {}, events: 0 });
  });
});

test('where the cluster has a default Ingress class, a launch costs the same four, and the class stays', async () => {
  const ingressClass = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'usual', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    spec: { controller: 'example.com/ingress' },
  };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(ingressClass));
  let id = '';
  const cost = await calls(async () => {
    id = (await alice.create()).workbench_id;
    await alice.until(id, 'running');
  }, 1);
  expect(cost.writes).toEqual({
    'create pods': 1,
    'create services': 1,
    'create ingresses': 1,
    'patch workbenches/status': 1,
  });
  expect(
    await cluster.kubectl(['get', 'ingress', id, '-n', 'workbenches', '-o', 'jsonpath={.spec.ingressClassName}']),
  ).toBe('usual');
});

test('fifty launches at once cost two hundred writes and no conflict', async () => {
  const cost = await calls(async () => {
    const items = await Promise.all(Array.from({ length: 50 }, () => alice.create()));
    await Promise.all(items.map(({ workbench_id: id }) => alice.until(id, 'running')));
  });
  expect(cost.writes).toMatchObject({ 'create pods': 50, 'create services': 50, 'create ingresses': 50 });
  // Under load each of the phases before the last may last its second; each that does adds one honest write.
  expect(cost.writes['patch workbenches/status']).toBeGreaterThanOrEqual(50);
  expect(cost.writes['patch workbenches/status']).toBeLessThanOrEqual(200);
  expect(cost).toMatchObject({ reads: 0, failed: 0 });
});

test('two hundred workbenches at rest cost nothing for a minute: no write and no read', async () => {
  const present = (await alice.call('GET')).body.items!.length;
  const items = await Promise.all(Array.from({ length: 200 - present }, () => alice.create()));
  for (const { workbench_id: id } of items) await alice.until(id, 'running');
  const { writes, events, reads } = await calls(() => delay(60_000));
  expect({ writes, events, reads }).toEqual({ writes: {}, events: 0, reads: 0 });
});

test('a restarted controller finds everything as it was and writes nothing', async () => {
  const cost = await calls(async () => {
    await installation.end();
    await installation.start();
    await delay(2_000);
  });
  expect([cost.writes, cost.events]).toEqual([{}, 0]);
});
