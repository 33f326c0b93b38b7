/** What an admin offers and what an author makes of it, by REST and by kubectl alike, on a real control plane. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { judge } from '../kstatus.ts';
import type { ClassSpec } from '../../src/workbench/class.ts';
import type { Pod } from '../../src/workbench/objects.ts';
import { API_VERSION } from '../../src/workbench/resource.ts';
import type { Workbench, WorkbenchSpec } from '../../src/workbench/resource.ts';

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
const apply = (kind: string, name: string, spec: object) =>
  kubectl(['apply', '-f', '-'], stringify({ apiVersion: API_VERSION, kind, metadata: { name }, spec }));
const offer = (name: string, spec: ClassSpec) => apply('WorkbenchClass', name, spec);
const wish = (name: string, spec: Partial<WorkbenchSpec>) => apply('Workbench', name, { owner: 'alice', ...spec });
const read = async (name: string) => JSON.parse(await kubectl(['get', 'wb', name, '-o', 'json'])) as Workbench;
const podOf = async (name: string) => {
  const { items } = JSON.parse(await kubectl(['get', 'pods', '-l', `workbench.h1st.ai/id=${name}`, '-o', 'json'])) as {
    items: Pod[];
  };
  return items[0]!;
};
const until = (name: string, what: string, check: (seen: Workbench) => boolean) =>
  eventually(what, () => read(name), check);

const IMAGE = 'registry.example/gpu';

test('a workbench of a class is what the class says, and an author who names nothing need not know it', async () => {
  await offer('small', {
    image: `${IMAGE}:latest`,
    port: 9000,
    env: [{ name: 'TEAM', value: 'ml' }],
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
    resources: { default: { cpu: '500m', memory: '1Gi' } },
  });
  const { workbench_id: id } = await alice.create({ class: 'small' });
  expect(await alice.until(id, 'running')).toMatchObject({
    class: 'small',
    image: `${IMAGE}:latest`,
    requested_cpu: '500m',
    requested_memory: '1Gi',
  });
  expect((await podOf(id)).spec).toMatchObject({
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    containers: [
      {
        image: `${IMAGE}:latest`,
        ports: [{ containerPort: 9000 }],
        resources: { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
      },
    ],
  });
  await wish('by-hand', { class: 'small' });
  await until('by-hand', 'Running', ({ status }) => status?.phase === 'Running');
  expect(await kubectl(['get', 'wb', 'by-hand', '-o', 'wide'])).toMatch(/CLASS\s+RESTART\s+NEWER\s*\n.*\ssmall\s*$/m);
  expect(await kubectl(['get', 'wbc'])).toMatch(/small\s+registry\.example\/gpu:latest/);
});

describe('what a class does not grant', () => {
  beforeAll(() =>
    offer('bounded', {
      image: `${IMAGE}:latest`,
      resources: { max: { cpu: 2 } },
      versions: [{ name: 'v1', image: `${IMAGE}:1` }],
    }),
  );

  test.each<[what: string, body: object, spec: Partial<WorkbenchSpec>, reason: string, sentence: RegExp]>([
    ['a class that is not there', { class: 'none' }, { class: 'none' }, 'ClassMissing', /no workbench class "none"/],
    [
      'a size that is too large',
      { class: 'bounded', requested_cpu: '4' },
      { class: 'bounded', resources: { cpu: '4' } },
      'SizeNotAllowed',
      /cpu 4 is more than the 2/,
    ],
    [
      'an image that is not allowed',
      { class: 'bounded', image: 'registry.example/other:1' },
      { class: 'bounded', image: 'registry.example/other:1' },
      'ImageNotAllowed',
      /the class "bounded" allows/,
    ],
    [
      'a version that it has not',
      { class: 'bounded', version: 'v9' },
      { class: 'bounded', version: 'v9' },
      'VersionMissing',
      /it has v1/,
    ],
  ])(
    '%s: a sentence to the REST client and on the object, and nothing is made',
    async (what, body, spec, reason, sentence) => {
      const bob = client(installation.rest, 'bob');
      const answer = await bob.call('POST', '', body);
      expect(answer).toMatchObject({ status: 400, body: { error: { reason } } });
      expect(answer.body.error!.message).toMatch(sentence);
      expect((await bob.call('GET')).body.items).toEqual([]);

      const name = what.replaceAll(' ', '-').slice(0, 40);
      await wish(name, spec);
      const seen = await until(name, reason, ({ status }) => status?.reason === reason);
      expect(seen.status).toMatchObject({ phase: 'Failed', message: expect.stringMatching(sentence) });
      expect(judge(cluster, JSON.stringify(seen))).toMatch(/^Failed/);
      expect(await podOf(name)).toBeUndefined();
    },
  );

  test('and a PATCH that asks for it changes nothing, while a new name is always granted', async () => {
    const { workbench_id: id } = await alice.create({ class: 'bounded' });
    expect((await alice.call('PATCH', `/${id}`, { requested_cpu: '4' })).body.error?.reason).toBe('SizeNotAllowed');
    expect((await alice.call('PATCH', `/${id}`, { class: 'none' })).body.error?.reason).toBe('ClassMissing');
    expect((await read(id)).spec).not.toHaveProperty('resources');
    await kubectl(['delete', 'wbc', 'bounded']);
    expect((await alice.call('PATCH', `/${id}`, { workbench_name: 'mine' })).status).toBe(200);
  });
});

test('a workbench whose class comes after it starts by itself', async () => {
  await wish('early', { class: 'late' });
  await until('early', 'ClassMissing', ({ status }) => status?.reason === 'ClassMissing');
  await offer('late', {});
  await until('early', 'Running', ({ status }) => status?.phase === 'Running');
});

test('changing a class, or removing it, restarts nobody; who would start differently is told so', async () => {
  await offer('moving', { image: `${IMAGE}:1` });
  const { workbench_id: id } = await alice.create({ class: 'moving' });
  await alice.until(id, 'running');
  const before = (await podOf(id)).metadata.uid;

  await offer('moving', { image: `${IMAGE}:2` });
  await until(id, 'RestartRequired', (seen) => restartReason(seen) === 'Edited');
  expect(await alice.get(id)).toMatchObject({ status: 'running', restart_required: true });
  expect(await kubectl(['get', 'wb', id, '-o', 'wide', '--no-headers'])).toMatch(/moving\s+True\s*$/);

  await kubectl(['delete', 'wbc', 'moving']);
  await until(id, 'told of the class', (seen) => restartReason(seen) === 'ClassMissing');
  expect((await podOf(id)).metadata.uid).toBe(before);

  await offer('moving', { image: `${IMAGE}:2` });
  await alice.stop(id);
  await alice.until(id, 'stopped');
  await alice.start(id);
  expect(await alice.until(id, 'running')).not.toHaveProperty('restart_required');
  expect((await podOf(id)).spec!.containers[0]!.image).toBe(`${IMAGE}:2`);
});

test('a version can be pinned, moved on from and rolled back to', async () => {
  const versions = ['1', '2'].map((name) => ({ name: `v${name}`, image: `${IMAGE}:${name}` }));
  await offer('versioned', { image: `${IMAGE}:latest`, versions });
  const { workbench_id: id } = await alice.create({ class: 'versioned', version: 'v1' });
  const runs = async () => {
    await alice.until(id, 'running');
    return (await podOf(id)).spec!.containers[0]!.image;
  };
  expect(await runs()).toBe(`${IMAGE}:1`);
  for (const [version, image] of [
    ['v2', `${IMAGE}:2`],
    [null, `${IMAGE}:latest`],
    ['v1', `${IMAGE}:1`],
  ]) {
    const { body } = await alice.call('PATCH', `/${id}`, { version });
    expect(body.item).toMatchObject({ restart_required: true, image });
    await alice.stop(id);
    await alice.until(id, 'stopped');
    await alice.start(id);
    expect(await runs()).toBe(image);
  }
});

test('a class that the API server can see is wrong is refused with a sentence', async () => {
  await expect(offer('wrong', { image: 'no image' })).rejects.toThrow(/image must be an image reference/);
  await expect(offer('wrong', { env: [{ name: 'WORKBENCH_ID', value: 'x' }] })).rejects.toThrow(/reserved/);
  await expect(offer('wrong', { port: 80 })).rejects.toThrow(/greater than or equal to 1024/);
  await expect(offer('wrong', { resources: { max: { cpu: 'much' } } })).rejects.toThrow(/cpu must be a positive/);
});

function restartReason({ status }: Workbench): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'RestartRequired')?.reason;
}
