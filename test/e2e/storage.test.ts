/** Files that last, on a real node: what somebody wrote is there after whatever happens to the Pod, and goes only when asked to. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { API_VERSION } from '../../src/workbench/resource.ts';
import { client } from '../client.ts';
import type { Client, Item } from '../client.ts';
import { eventually } from '../eventually.ts';
import { askVolumes, discardVolume } from '../volumes.ts';
import { open } from './browser.ts';
import { installForReal } from './installation.ts';
import type { RealInstallation } from './installation.ts';
import { processOf } from './processes.ts';

let world: RealInstallation;
let alice: Client;
let bob: Client;

/** Directories of the node, made beforehand: each is bound to a claim when a Pod with it is placed. */
const DISKS = ['disk-0', 'disk-1', 'disk-2'];

beforeAll(async () => {
  world = await installForReal();
  alice = client(world.rest, 'alice');
  bob = client(world.rest, 'bob');
  const [node] = (await world.cluster.kubectl(['get', 'nodes', '-o', 'name'])).trim().split('/').slice(-1);
  const sort = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'disks' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  const onNode = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] };
  const disks = DISKS.map((name) => {
    mkdirSync(join(world.cluster.dir, name));
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        storageClassName: 'disks',
        capacity: { storage: '2Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        local: { path: join(world.cluster.dir, name) },
        nodeAffinity: { required: { nodeSelectorTerms: [onNode] } },
      },
    };
  });
  const offered = (name: string, retention: string) => ({
    apiVersion: API_VERSION,
    kind: 'WorkbenchClass',
    metadata: { name, namespace: 'workbenches' },
    spec: { storage: { size: '1Gi', storageClassName: 'disks', retention } },
  });
  const objects = [sort, ...disks, offered('kept', 'Retain'), offered('gone', 'Delete')];
  await world.cluster.kubectl(['apply', '-f', '-'], objects.map((object) => stringify(object)).join('---\n'));
}, 1_800_000);

afterAll(async () => {
  await world?.teardown();
});

const kubectl = (args: string[], input?: string) => world.cluster.kubectl([...args, '-n', 'workbenches'], input);
const write = async ({ public_endpoint: url }: Item, name: string, text: string) =>
  expect((await fetch(`${url}/files/${name}`, { method: 'PUT', body: text })).status).toBe(201);
const read = async ({ public_endpoint: url }: Item, name: string) => {
  const { status, text } = await open(`${url}/files/${name}`);
  return status === 200 ? text : status;
};
const volumeOf = (item: Item) => (item.storage as { volume_id: string }).volume_id;

const volumes = (user: string) => askVolumes(world.rest, 'GET', user);

async function restart(id: string): Promise<Item> {
  await alice.stop(id);
  await alice.until(id, 'stopped');
  await alice.start(id);
  return alice.until(id, 'running');
}

async function remove(who: Client, id: string): Promise<void> {
  await who.call('DELETE', `/${id}`);
  await who.untilGone(id);
}

async function discard(volume: string): Promise<void> {
  await discardVolume(world.rest, volume);
  await untilNoVolume();
}

const untilNoVolume = () =>
  eventually(
    'without a volume',
    () => kubectl(['get', 'pvc', '-o', 'name']),
    (names) => names.trim() === '',
  );

test('files are there after a killed process, a lost Pod, stop and start, another size, and in a new workbench of the same owner', async () => {
  const { workbench_id: id } = await alice.create({ class: 'kept' });
  const item = await alice.until(id, 'running');
  await write(item, 'note.txt', 'mine');

  process.kill(processOf(id), 'SIGKILL');
  await eventually(
    'after a killed process',
    () => read(item, 'note.txt'),
    (text) => text === 'mine',
  );

  await kubectl(['delete', 'pod', '-l', `workbench.h1st.ai/id=${id}`, '--wait=false']);
  await eventually(
    'after a lost Pod',
    () => read(item, 'note.txt'),
    (text) => text === 'mine',
  );
  await alice.until(id, 'running');

  expect(await read(await restart(id), 'note.txt')).toBe('mine');
  await alice.call('PATCH', `/${id}`, { requested_memory: '160Mi' });
  expect(await read(await restart(id), 'note.txt')).toBe('mine');

  const volume = volumeOf(item);
  await remove(alice, id);
  await eventually(
    'kept',
    () => volumes('alice'),
    ({ body: { items } }) => items!.map(({ volume_id: one, status }) => `${one} ${status}`).join() === `${volume} kept`,
  );
  const theirs = await bob.call('POST', '', { class: 'kept', storage: { volume_id: volume } });
  expect(theirs).toMatchObject({ status: 400, body: { error: { reason: 'VolumeMissing' } } });

  const { workbench_id: next } = await alice.create({ class: 'kept', storage: { volume_id: volume } });
  expect(await read(await alice.until(next, 'running'), 'note.txt')).toBe('mine');
  await remove(alice, next);
  await discard(volume);
});

test('of two workbenches that want one volume at once only one has it, and the other gets it, with all files, when that one stops', async () => {
  const { workbench_id: first } = await alice.create({ class: 'kept' });
  const item = await alice.until(first, 'running');
  await write(item, 'note.txt', 'one at a time');
  const volume = volumeOf(item);
  const asked = await alice.call('POST', '', { class: 'kept', storage: { volume_id: volume } });
  expect(asked.status).toBe(201);
  const other = asked.body.item!.workbench_id;
  await eventually(
    'waits',
    () => alice.get(other),
    ({ status, status_reason: reason }) => status === 'pending' && reason === 'VolumeInUse',
  );
  await alice.stop(first);
  expect(await read(await alice.until(other, 'running'), 'note.txt')).toBe('one at a time');
  await remove(alice, other);
  await remove(alice, first);
  await discard(volume);
});

test('where the class says so the volume goes with its workbench', async () => {
  const { workbench_id: id } = await bob.create({ class: 'gone' });
  const item = await bob.until(id, 'running');
  await write(item, 'note.txt', 'short-lived');
  // It is on a disk of the node, not in the Pod.
  const written = DISKS.map((name) => join(world.cluster.dir, name)).filter((dir) =>
    readdirSync(dir).includes('note.txt'),
  );
  expect(written.map((dir) => readFileSync(join(dir, 'note.txt'), 'utf8'))).toContain('short-lived');
  await remove(bob, id);
  await untilNoVolume();
  await eventually(
    'none',
    () => volumes('bob'),
    ({ body: { items } }) => items!.length === 0,
  );
});
