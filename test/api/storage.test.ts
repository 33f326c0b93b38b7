/** Files that last, as far as objects show it: claims, whose they are and who mounts them, on a real control plane. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Client, Item } from '../client.ts';
import { layStorage } from '../disks.ts';
import { eventually } from '../eventually.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { manifest } from '../manifest.ts';
import { askVolumes, discardVolume } from '../volumes.ts';
import type { ClassSpec } from '../../src/workbench/class.ts';
import type { Claim, Pod } from '../../src/workbench/objects.ts';
import { API_VERSION } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';

let cluster: Cluster;
let installation: Installation;
let alice: Client;
let bob: Client;

const kubectl = (args: string[], input?: string) => cluster.kubectl([...args, '-n', 'workbenches'], input);
const apply = (kind: string, name: string, spec: object) =>
  kubectl(['apply', '-f', '-'], stringify({ apiVersion: API_VERSION, kind, metadata: { name }, spec }));
const offer = (name: string, storage: Partial<NonNullable<ClassSpec['storage']>> = {}) =>
  apply('WorkbenchClass', name, { storage: { size: '1Gi', storageClassName: 'fast', ...storage } });
const list = async <T>(kind: string) =>
  (JSON.parse(await kubectl(['get', kind, '-o', 'json'])) as { items: T[] }).items;
const read = async (name: string) => JSON.parse(await kubectl(['get', 'wb', name, '-o', 'json'])) as Workbench;
const claim = async (name: string) => (await list<Claim>('pvc')).find(({ metadata }) => metadata.name === name);
const volumeOf = (item: Partial<Item>) => (item.storage as { volume_id: string }).volume_id;

const volumes = (method: string, user: string, id?: string) => askVolumes(installation.rest, method, user, id);
const discard = (volume: string) => discardVolume(installation.rest, volume);

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  await layStorage(cluster, 'fast', true, 20);
  await layStorage(cluster, 'fixed', false, 3);
  installation = await install(cluster, { env: { WB_USER_STORAGE: '6Gi' } });
  alice = client(installation.rest, 'alice');
  bob = client(installation.rest, 'bob');
  await offer('kept');
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
});

test('a volume outlives stop, start and its workbench, and serves another one of the same owner', async () => {
  const { workbench_id: id } = await alice.create({ class: 'kept' });
  const volume = volumeOf(await alice.until(id, 'running'));
  const { metadata } = (await claim(volume))!;
  // Its own disk is larger than was asked for, which the binder writes last.
  const { body: found } = await eventually(
    'in use',
    () => volumes('GET', 'alice'),
    ({ body: { items } }) => items![0]?.status === 'in_use' && items![0].size === '10Gi',
  );
  expect(found.items).toEqual([expect.objectContaining({ volume_id: volume, workbench_id: id, retention: 'retain' })]);
  await alice.stop(id);
  await alice.until(id, 'stopped');
  await eventually(
    'idle',
    () => volumes('GET', 'alice', volume),
    ({ body: { item } }) => item?.status === 'idle',
  );
  await alice.start(id);
  expect(volumeOf(await alice.until(id, 'running'))).toBe(volume);
  await alice.call('DELETE', `/${id}`);
  await alice.untilGone(id);
  const { body } = await eventually(
    'kept',
    () => volumes('GET', 'alice', volume),
    ({ body: { item } }) => item?.status === 'kept',
  );
  expect(body.item).toMatchObject({ retention: 'retain' });
  expect(body.item).not.toHaveProperty('workbench_id');

  const next = await alice.create({ class: 'kept', storage: { volume_id: volume } });
  await alice.until(next.workbench_id, 'running');
  expect((await volumes('GET', 'alice', volume)).body.item).toMatchObject({ workbench_id: next.workbench_id });
  expect((await claim(volume))!.metadata.uid).toBe(metadata.uid);

  const refused = await volumes('DELETE', 'alice', volume);
  expect(refused).toMatchObject({ status: 409, body: { error: { reason: 'VolumeInUse' } } });
  await alice.call('DELETE', `/${next.workbench_id}`);
  await alice.untilGone(next.workbench_id);
  await discard(volume);
  await eventually(
    'gone',
    () => claim(volume),
    (found) => found === undefined,
  );
  expect((await volumes('DELETE', 'alice', volume)).status).toBe(404);
});

test("nobody sees, mounts or removes another owner's volume", async () => {
  const { workbench_id: id } = await alice.create({ class: 'kept' });
  const volume = volumeOf(await alice.until(id, 'running'));
  await alice.call('DELETE', `/${id}`);
  await alice.untilGone(id);
  expect((await volumes('GET', 'bob')).body.items).toEqual([]);
  expect((await volumes('GET', 'bob', volume)).status).toBe(404);
  expect((await volumes('DELETE', 'bob', volume)).status).toBe(404);
  const theirs = await bob.call('POST', '', { class: 'kept', storage: { volume_id: volume } });
  const none = await bob.call('POST', '', { class: 'kept', storage: { volume_id: 'none' } });
  expect(theirs).toMatchObject({ status: 400, body: { error: { reason: 'VolumeMissing' } } });
  expect(none.body.error!.message).toBe(theirs.body.error!.message.replace(volume, 'none'));
  await apply('Workbench', 'thief', { owner: 'bob', class: 'kept', storage: { claimName: volume } });
  await eventually(
    'refused',
    () => read('thief'),
    ({ status }) => status?.reason === 'VolumeMissing',
  );
  expect(await list<Pod>('pods')).toEqual([]);
  await kubectl(['delete', 'wb', 'thief']);
  await discard(volume);
});

test('a volume goes with its workbench where its class says so, and a change of the class holds for those that are there', async () => {
  await offer('gone', { retention: 'Delete' });
  const made = await Promise.all([alice.create({ class: 'gone' }), alice.create({ class: 'gone' })]);
  const [one, other] = await Promise.all(made.map(({ workbench_id: id }) => alice.until(id, 'running')));
  expect((await claim(volumeOf(one!)))!.metadata.ownerReferences).toHaveLength(1);
  await alice.call('DELETE', `/${one!.workbench_id}`);
  await alice.untilGone(one!.workbench_id);
  expect(await claim(volumeOf(one!))).toBeUndefined();

  await alice.stop(other!.workbench_id);
  await offer('gone', { retention: 'Retain' });
  const free = (found: Claim | undefined) => (found?.metadata.ownerReferences ?? []).length === 0;
  await eventually('free', () => claim(volumeOf(other!)), free);
  await alice.call('DELETE', `/${other!.workbench_id}`);
  await alice.untilGone(other!.workbench_id);
  await eventually(
    'kept',
    () => volumes('GET', 'alice'),
    ({ body: { items } }) => items!.length === 1 && items![0]!.status === 'kept',
  );
  await discard(volumeOf(other!));
});

test('never do two Pods mount one volume, however often two workbenches ask for it at once', async () => {
  const { workbench_id: first } = await alice.create({ class: 'kept' });
  const volume = volumeOf(await alice.until(first, 'running'));
  const second = await alice.create({ class: 'kept', storage: { volume_id: volume } });
  const ids = [first, second.workbench_id];
  const waiting = await eventually(
    'waiting',
    () => alice.get(ids[1]!),
    (item) => item.status_reason === 'VolumeInUse',
  );
  expect(waiting).toMatchObject({ status: 'pending', status_message: expect.stringMatching(/is mounted by Pod/) });
  for (let round = 0; round < 6; round += 1) {
    const [up, down] = round % 2 === 0 ? [ids[1]!, ids[0]!] : [ids[0]!, ids[1]!];
    await Promise.all([alice.stop(down), alice.start(up)]);
    await alice.until(up, 'running');
    await alice.start(down);
  }
  for (const id of ids) {
    await alice.call('DELETE', `/${id}`);
    await alice.untilGone(id);
  }
  await discard(volume);
});

describe('a larger volume', () => {
  test('is asked for where the storage class can, while the workbench runs', async () => {
    const { workbench_id: id } = await alice.create({ class: 'kept' });
    const volume = volumeOf(await alice.until(id, 'running'));
    const answer = await alice.call('PATCH', `/${id}`, { storage: { size: '2Gi' } });
    expect(answer.body.item).toMatchObject({ status: 'running' });
    const isLarger = (found: Claim | undefined) => found?.spec?.resources?.requests?.storage === '2Gi';
    await eventually('larger', () => claim(volume), isLarger);
    expect(await alice.get(id)).not.toHaveProperty('restart_required');
    expect(await alice.call('PATCH', `/${id}`, { storage: { size: '1Gi' } })).toMatchObject({
      status: 400,
      body: {
        error: { reason: 'VolumeCannotShrink', message: `The volume "${volume}" has 2Gi and cannot shrink to 1Gi.` },
      },
    });
    expect(await alice.call('PATCH', `/${id}`, { storage: { size: '7Gi' } })).toMatchObject({
      status: 403,
      body: { error: { reason: 'UserLimit' } },
    });
    await alice.call('DELETE', `/${id}`);
    await alice.untilGone(id);
    await discard(volume);
  });

  test('is refused in a sentence where it cannot, and the workbench runs on', async () => {
    await offer('fixed', { storageClassName: 'fixed' });
    const { workbench_id: id } = await alice.create({ class: 'fixed' });
    const { storage } = await alice.until(id, 'running');
    await alice.call('PATCH', `/${id}`, { storage: { size: '2Gi' } });
    const told = await eventually(
      'told',
      () => alice.get(id),
      (item) => 'message' in (item.storage as object),
    );
    expect(told).toMatchObject({ status: 'running', storage: { message: expect.stringMatching(/support resize/) } });
    const { status } = await read(id);
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'VolumeResized', status: 'False', reason: 'VolumeCannotGrow' }),
    );
    await alice.call('DELETE', `/${id}`);
    await alice.untilGone(id);
    await discard(volumeOf({ storage }));
  });
});

test('one owner has no more storage than the administrator allows, the oldest first, kept volumes counted', async () => {
  await offer('large', { size: '2500Mi' });
  const names = ['one', 'two', 'three'];
  const manifests = names.map((name) => manifest(name, { class: 'large' }));
  await kubectl(['apply', '-f', '-'], manifests.join('\n---\n'));
  const phases = async () =>
    (await list<Workbench>('wb')).map(({ status }) => `${status?.phase} ${status?.reason ?? ''}`.trim()).toSorted();
  await eventually('settled', phases, (found) => found.join() === 'Failed UserLimit,Running,Running');
  expect(await list('pvc')).toHaveLength(2);
  expect(await alice.call('POST', '', { class: 'large' })).toMatchObject({
    status: 403,
    body: { error: { reason: 'UserLimit', message: expect.stringMatching(/may take 6Gi of storage/) } },
  });
  await kubectl(['delete', 'wb', ...names]);
  for (const { volume_id: id } of (await volumes('GET', 'alice')).body.items!) await discard(id);
});

test('a volume without storage behind it is a sentence that names the volume and the storage class', async () => {
  await offer('lost', { storageClassName: 'nowhere' });
  const { workbench_id: id } = await alice.create({ class: 'lost' });
  const item = await eventually(
    'told',
    () => alice.get(id),
    ({ status_reason }) => status_reason === 'VolumePending',
  );
  expect(item).toMatchObject({ status: 'pending', status_message: expect.stringMatching(/storage class "nowhere"/) });
  // Never bound, so no files are lost: the way out, once the class is mended.
  await alice.stop(id);
  await alice.until(id, 'stopped');
  await discard(volumeOf(item));
  await eventually(
    'gone',
    () => claim(volumeOf(item)),
    (found) => found === undefined,
  );
  await offer('lost', { size: '2Gi' });
  // The class is known then.
  await eventually(
    'another size',
    () => alice.get(id),
    ({ storage }) => (storage as { size?: string }).size === '2Gi',
  );
  await alice.start(id);
  await alice.until(id, 'running');
});

test('what a class does not grant is refused at the request, and nothing is left behind', async () => {
  const before = (await alice.call('GET')).body.items!.length;
  await apply('WorkbenchClass', 'bare', {});
  await offer('small', { maxSize: '2Gi' });
  expect(await alice.call('POST', '', { class: 'bare', storage: { size: '1Gi' } })).toMatchObject({
    status: 400,
    body: { error: { reason: 'StorageNotAllowed' } },
  });
  expect(await alice.call('POST', '', { class: 'small', storage: { size: '3Gi' } })).toMatchObject({
    status: 400,
    body: {
      error: { reason: 'SizeNotAllowed', message: 'storage 3Gi is more than the 2Gi that the class "small" allows.' },
    },
  });
  expect((await alice.call('GET')).body.items).toHaveLength(before);
});

test('a quota of the namespace answers at the request: which one, what is used, what there is; and nothing is made', async () => {
  const count = (await alice.call('GET')).body.items!.length;
  await kubectl(['create', 'quota', 'disks', '--hard=requests.storage=3Gi,pods=4']);
  const create = (who: Client) => who.call('POST', '', { class: 'kept', storage: { size: '4Gi' } });
  // The API server's admission hears of it a moment after its making: until then somebody else's is taken, and fails later.
  let asked = 0;
  await eventually(
    'in force',
    () => create(client(installation.rest, `carol-${(asked += 1)}`)),
    ({ body }) => body.error?.reason === 'QuotaExceeded',
  );
  const answer = await create(bob);
  expect(answer.body.error).toEqual({
    reason: 'QuotaExceeded',
    message: expect.stringMatching(
      /exceeded quota: disks, requested: requests\.storage=4Gi, used: requests\.storage=\w+, limited: requests\.storage=3Gi/,
    ),
  });
  expect((await bob.call('GET')).body.items).toEqual([]);
  expect((await alice.call('GET')).body.items).toHaveLength(count);
  await kubectl(['delete', 'quota', 'disks']);
});
