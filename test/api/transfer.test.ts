/** A workbench, and the files in its volume, are given to another owner: by an administrator over REST, and with kubectl. */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Client, Item } from '../client.ts';
import { layStorage } from '../disks.ts';
import { eventually } from '../eventually.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { startProvider } from '../provider.ts';
import type { Provider } from '../provider.ts';
import type { Claim, Pod } from '../../src/workbench/objects.ts';
import { API_VERSION } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';

let cluster: Cluster;
let provider: Provider;
let installation: Installation;
let alice: Client;
let bob: Client;
/** In alice's name. */
let admin: Client;

const kubectl = (args: string[], input?: string) => cluster.kubectl([...args, '-n', 'workbenches'], input);
const get = async <T>(kind: string, name: string) => JSON.parse(await kubectl(['get', kind, name, '-o', 'json'])) as T;
const apply = (kind: string, name: string, spec: object) =>
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: API_VERSION, kind, metadata: { name }, spec }));
const own = (user: string, id: string) =>
  kubectl(['patch', 'wb', id, '--type=merge', '-p', JSON.stringify({ spec: { owner: user } })]);
const as = async (user: string) => client(installation.rest, undefined, await provider.token(user));
const volumeOf = ({ storage }: Partial<Item>) => (storage as { volume_id: string }).volume_id;
const give = (id: string, to: string) => admin.call('PATCH', `/${id}`, { user_id: to });

const ownerOf = async (volume: string) =>
  (await get<Claim>('pvc', volume)).metadata.annotations!['workbench.h1st.ai/owner'];
const becomes = (volume: string, owner: string) =>
  eventually(
    `${owner}'s`,
    () => ownerOf(volume),
    (found) => found === owner,
  );

async function volumes(user: string, method = 'GET', id = ''): Promise<{ status: number; ids: string[] }> {
  const headers = { authorization: `Bearer ${await provider.token(user)}` };
  const response = await fetch(`${installation.rest}/volumes${id && `/${id}`}`, { method, headers });
  const { items = [] } = (await response.json()) as { items?: { volume_id: string }[] };
  return { status: response.status, ids: items.map(({ volume_id: volume }) => volume) };
}

/** alice's, with files in it, and stopped. */
async function stoppedOne(storage?: object): Promise<{ id: string; volume: string }> {
  const { workbench_id: id } = await alice.create({ class: 'kept', ...(storage ? { storage } : {}) });
  const volume = volumeOf(await alice.until(id, 'running'));
  await alice.stop(id);
  await alice.until(id, 'stopped');
  return { id, volume };
}

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  await layStorage(cluster, 'fast', true, 20);
  provider = await startProvider();
  installation = await install(cluster, { env: provider.env });
  await apply('WorkbenchClass', 'kept', { storage: { size: '1Gi', storageClassName: 'fast' } });
  alice = await as('alice');
  bob = await as('bob');
  admin = client(installation.rest, 'alice', await provider.token('root', true));
});

afterAll(async () => {
  await installation?.end();
  provider?.close();
  await cluster?.stop();
});

describe('an administrator', () => {
  test('gives away what is stopped, with its volume; the new owner starts it with the same files, and its shares stay', async () => {
    const { id, volume } = await stoppedOne();
    const { uid } = (await get<Claim>('pvc', volume)).metadata;
    await alice.call('POST', `/${id}/shares`, { user_id: 'bob', permission: 'read' });
    // In the owner's name an administrator shares as the owner does.
    await admin.call('POST', `/${id}/shares`, { user_id: 'carol', permission: 'read' });
    expect((await admin.call('GET', `/${id}/shares`)).body.items).toHaveLength(2);
    await eventually(
      'seen as stopped, shares and all',
      () => give(id, 'bob'),
      ({ status }) => status === 200,
    );
    expect((await bob.get(id)).user_id).toBe('bob');
    expect(await bob.get(id)).not.toHaveProperty('permission');
    expect((await alice.call('GET', `/${id}`)).status).toBe(404);
    await becomes(volume, 'bob');
    expect((await volumes('alice')).ids).not.toContain(volume);
    expect((await volumes('bob')).ids).toContain(volume);
    expect((await bob.call('GET', `/${id}/shares`)).body.items).toEqual([{ user_id: 'carol', permission: 'read' }]);

    await bob.start(id);
    expect(volumeOf(await bob.until(id, 'running'))).toBe(volume);
    expect((await get<Claim>('pvc', volume)).metadata.uid).toBe(uid);
    const { items } = await get<{ items: Pod[] }>('pods', `--selector=workbench.h1st.ai/id=${id}`);
    expect(items[0]!.spec!.containers[0]!.env).toContainEqual({ name: 'WORKBENCH_OWNER', value: 'bob' });
    // As often as one likes: it is where it was to go.
    expect(await give(id, 'bob')).toMatchObject({ status: 200, body: { item: { user_id: 'bob', status: 'running' } } });
  });

  test('is the only one who can, and stops it first', async () => {
    const { workbench_id: id } = await alice.create();
    for (const user of [alice, bob])
      expect(await user.call('PATCH', `/${id}`, { user_id: 'bob' })).toMatchObject({
        status: 403,
        body: { error: { reason: 'AdminOnly' } },
      });
    await alice.until(id, 'running');
    expect(await give(id, 'bob')).toMatchObject({
      status: 409,
      body: { error: { reason: 'NotStopped', message: expect.stringMatching(/^Stop the workbench first/) } },
    });
    expect((await alice.get(id)).user_id).toBe('alice');
    const root = client(installation.rest, undefined, await provider.token('root', true));
    expect((await root.call('PATCH', `/${id}`, { user_id: 'root' })).status).toBe(404);
    expect(await give(id, '')).toMatchObject({ status: 400 });
    expect(await give(id, 'alice')).toMatchObject({ status: 200, body: { item: { status: 'running' } } });
  });

  test('is told of a volume that is not this workbench’s alone, and nothing is given', async () => {
    const { id: one, volume } = await stoppedOne();
    const { id: other } = await stoppedOne({ volume_id: volume });
    for (const id of [one, other])
      expect(await give(id, 'bob')).toMatchObject({
        status: 409,
        body: { error: { reason: 'VolumeInUse', message: expect.stringContaining(`"${id === one ? other : one}"`) } },
      });
    await alice.call('DELETE', `/${one}`);
    await alice.untilGone(one);
    await eventually(
      'given',
      () => give(other, 'bob'),
      ({ status }) => status === 200,
    );
    await becomes(volume, 'bob');
  });
});

describe('with kubectl', () => {
  test('an owner that is written while no controller acts, or just before one dies, is the volume’s as soon as one does', async () => {
    const { id, volume } = await stoppedOne();
    await installation.end('SIGKILL');
    await own('bob', id);
    expect(await ownerOf(volume)).toBe('alice');
    await installation.start();
    await becomes(volume, 'bob');
    expect((await volumes('alice', 'DELETE', volume)).status).toBe(404);
  });

  test('an owner is written into the workbench, and its volume follows', async () => {
    const { id, volume } = await stoppedOne();
    await own('bob', id);
    await becomes(volume, 'bob');
    await own('alice', id);
    await becomes(volume, 'alice');
  });

  test('a volume that another workbench of the old owner has stays, also when that one is gone', async () => {
    const { id: first, volume } = await stoppedOne();
    const { id: last } = await stoppedOne({ volume_id: volume });
    await own('bob', last);
    await eventually(
      'the first one’s again',
      () => get<Claim>('pvc', volume),
      ({ metadata }) => metadata.labels!['workbench.h1st.ai/id'] === first,
    );
    expect(await bob.call('POST', `/${last}/start`)).toMatchObject({
      status: 400,
      body: { error: { reason: 'VolumeMissing' } },
    });
    await kubectl(['patch', 'wb', last, '--type=merge', '-p', '{"spec":{"state":"Running"}}']);
    const isRefused = ({ status }: Workbench) => status?.reason === 'VolumeMissing';
    await eventually('refused', () => get<Workbench>('wb', last), isRefused);
    await alice.call('DELETE', `/${first}`);
    await alice.untilGone(first);
    // It looks again every ten seconds; a start is judged anew by what is there now.
    await kubectl(['patch', 'wb', last, '--type=merge', '-p', '{"spec":{"run":"again"}}']);
    const { generation } = (await get<Workbench>('wb', last)).metadata;
    await eventually(
      'refused still',
      () => get<Workbench>('wb', last),
      (seen) => isRefused(seen) && seen.status?.observedGeneration === generation,
    );
    expect(await ownerOf(volume)).toBe('alice');
    expect((await volumes('alice')).ids).toContain(volume);
  });

  test('the script renames a user: workbenches, shares and volumes, and nobody else’s', async () => {
    await apply('Workbench', 'mine', { owner: 'old.user', class: 'kept' });
    await apply('Workbench', 'theirs', {
      owner: 'oldXuser',
      shares: [
        { user: 'somebody', permission: 'read' },
        { user: 'old.user', permission: 'read-write' },
      ],
    });
    const both = ['old.user', '5f1c-7a52'].map((user) => ({ user, permission: 'read' }));
    await apply('Workbench', 'both', { owner: 'somebody', shares: both });
    const { workbench_id: gone } = await (await as('old.user')).create({ class: 'kept' });
    const kept = volumeOf(await (await as('old.user')).until(gone, 'running'));
    await (await as('old.user')).call('DELETE', `/${gone}`);
    await (await as('old.user')).untilGone(gone);
    const volume = volumeOf(await (await as('old.user')).until('mine', 'running'));
    const env = {
      PATH: `${dirname(cluster.binary('kubectl'))}:${process.env.PATH}`,
      KUBECONFIG: cluster.kubeconfig,
      HOME: cluster.dir,
    };
    const rename = () => promisify(execFile)('deploy/rename-user.sh', ['old.user', '5f1c-7a52'], { env });
    await rename();
    await rename();
    expect((await get<Workbench>('wb', 'mine')).spec.owner).toBe('5f1c-7a52');
    expect((await get<Workbench>('wb', 'theirs')).spec).toMatchObject({
      owner: 'oldXuser',
      shares: [
        { user: 'somebody', permission: 'read' },
        { user: '5f1c-7a52', permission: 'read-write' },
      ],
    });
    expect((await get<Workbench>('wb', 'both')).spec.shares).toEqual([{ user: '5f1c-7a52', permission: 'read' }]);
    await becomes(volume, '5f1c-7a52');
    expect((await volumes('5f1c-7a52')).ids.toSorted()).toEqual([kept, volume].toSorted());
    expect((await (await as('5f1c-7a52')).call('GET')).body.items).toHaveLength(3);
    const nowhere = { ...env, KUBECONFIG: '/dev/null' };
    await expect(promisify(execFile)('deploy/rename-user.sh', ['a', 'b'], { env: nowhere })).rejects.toThrow();
    await expect(promisify(execFile)('deploy/rename-user.sh', ['a"b', 'c'], { env })).rejects.toThrow(/by hand/);
  });
});
