/** Reasons that only a particular cluster gives: each is made to happen for real, told, and mended. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { manifest } from '../manifest.ts';
import type { ClassSpec } from '../../src/workbench/class.ts';
import { claimName, podName } from '../../src/workbench/identity.ts';
import { API_VERSION } from '../../src/workbench/resource.ts';
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
const apply = (object: object) => kubectl(['apply', '-f', '-'], stringify(object));
const offer = (name: string, spec: ClassSpec) =>
  apply({ apiVersion: API_VERSION, kind: 'WorkbenchClass', metadata: { name }, spec });
const make = (name: string, spec: object = {}) => kubectl(['apply', '-f', '-'], manifest(name, spec));
const read = async (name: string) => JSON.parse(await kubectl(['get', 'wb', name, '-o', 'json'])) as Workbench;

/** In the status and over REST, as one sentence. */
async function untilTold(name: string, phase: string, reason: string, message: RegExp): Promise<void> {
  const isSo = ({ status }: Workbench) => status?.phase === phase && status.reason === reason;
  const { status } = await eventually(`${phase} ${reason}`, () => read(name), isSo);
  expect(status!.message).toMatch(message);
  expect(status!.message).toMatch(/^[A-Z"][^\n]*\.$/);
  expect(await alice.get(name)).toMatchObject({
    status: phase.toLowerCase(),
    status_reason: reason,
    status_message: status!.message,
  });
}

/** What somebody else puts on an object to keep it, and takes away. */
const hold = (kind: string, name: string, isHeld: boolean) =>
  kubectl([
    'patch',
    kind,
    name,
    '--type=merge',
    '-p',
    `{"metadata":{"finalizers":${isHeld ? '["example.com/hold"]' : 'null'}}}`,
  ]);

/** As the controller knows it. */
const untilVolume = (id: string, status: string) =>
  eventually(
    status,
    async () => {
      const answer = await fetch(`${installation.rest}/volumes/${id}?user_id=alice`);
      return (await answer.json()) as { item?: { status: string } };
    },
    ({ item }) => item?.status === status,
  );

test('a LimitRange: LimitRangeExceeded', async () => {
  const limits = [{ type: 'Container', max: { memory: '64Mi' } }];
  await apply({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'small' }, spec: { limits } });
  await make('limited', { resources: { memory: '1Gi' } });
  await untilTold('limited', 'Failed', 'LimitRangeExceeded', /maximum memory usage per Container is 64Mi/);
  await kubectl(['delete', 'limitrange', 'small']);
  await alice.until('limited', 'running');
});

test('a RuntimeClass that the cluster does not have: Refused', async () => {
  await offer('sandboxed', { runtimeClassName: 'gvisor' });
  await make('sandbox', { class: 'sandboxed' });
  await untilTold('sandbox', 'Failed', 'Refused', /^The API server refuses the Pod: .*RuntimeClass "gvisor" not found/);
  await cluster.kubectl(
    ['apply', '-f', '-'],
    stringify({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'gvisor' }, handler: 'runsc' }),
  );
  await alice.until('sandbox', 'running');
});

test('a class that needs its path taken off, where nothing does: StripNotSupported', async () => {
  await offer('at-root', { basePath: 'Strip' });
  const answer = await alice.call('POST', '', { class: 'at-root' });
  expect(answer).toMatchObject({ status: 400, body: { error: { reason: 'StripNotSupported' } } });
  await make('rooted', { class: 'at-root' });
  await untilTold('rooted', 'Failed', 'StripNotSupported', /INGRESS_STRIP_ANNOTATIONS/);
  await offer('at-root', { basePath: 'Pass' });
  await alice.until('rooted', 'running');
});

test('a version and an image at once: VersionAndImage', async () => {
  const image = 'registry.example/lab:1';
  await offer('versioned', { image, versions: [{ name: '1', image }] });
  const answer = await alice.call('POST', '', { class: 'versioned', version: '1', image });
  expect(answer).toMatchObject({ status: 400, body: { error: { reason: 'VersionAndImage' } } });
  await make('both', { class: 'versioned', version: '1', image });
  await untilTold('both', 'Failed', 'VersionAndImage', /not both/);
  await make('both', { class: 'versioned', version: '1' });
  await alice.until('both', 'running');
});

/** A Pod that no node has, since the simulated kubelet takes away whatever keeps a Pod that it has. */
async function placeless(name: string): Promise<string> {
  await offer(`placeless-${name}`, { nodeSelector: { 'example.com/none': 'x' } });
  await make(name, { class: `placeless-${name}` });
  await untilTold(name, 'Pending', 'Unschedulable', /^No node can take the Pod/);
  const pod = podName(await read(name));
  await hold('pod', pod, true);
  return pod;
}

test('a Pod that somebody keeps from going: Stopping, PredecessorTerminating at the next start, and none of it when it goes', async () => {
  const pod = await placeless('held');
  await alice.stop('held');
  await untilTold('held', 'Stopping', 'Stopping', /going away/);
  await alice.start('held');
  await untilTold('held', 'Pending', 'PredecessorTerminating', /^The earlier start's Pod is going away/);
  await offer('placeless-held', {});
  await hold('pod', pod, false);
  await alice.until('held', 'running');
});

test('a Pod that was deleted and does not go yet: PodTerminating', async () => {
  const pod = await placeless('deleted');
  await kubectl(['delete', 'pod', pod, '--wait=false']);
  await untilTold('deleted', 'Pending', 'PodTerminating', /a new one follows/);
  await offer('placeless-deleted', {});
  await hold('pod', pod, false);
  await alice.until('deleted', 'running');
});

test('a volume that is being deleted, and one whose disk is gone: VolumeTerminating, VolumeLost', async () => {
  const disk = (name: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      storageClassName: 'disks',
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/nowhere' },
    },
  });
  await cluster.kubectl(['apply', '-f', '-'], ['one', 'two'].map((name) => stringify(disk(name))).join('---\n'));
  await offer('kept', { storage: { size: '1Gi', storageClassName: 'disks' } });
  await make('stored', { class: 'kept' });
  await alice.until('stored', 'running');
  await alice.stop('stored');
  await alice.until('stored', 'stopped');
  const claim = claimName(await read('stored'));
  await hold('pvc', claim, true);
  await kubectl(['delete', 'pvc', claim, '--wait=false']);
  await untilVolume(claim, 'deleting');
  await alice.start('stored');
  await untilTold('stored', 'Pending', 'VolumeTerminating', /is being deleted; a new one follows/);
  await hold('pvc', claim, false);
  await alice.until('stored', 'running');

  await alice.stop('stored');
  await alice.until('stored', 'stopped');
  const volume = await kubectl(['get', 'pvc', claim, '-o', 'jsonpath={.spec.volumeName}']);
  await cluster.kubectl(['delete', 'pv', volume, '--wait=false']);
  await hold('pv', volume, false);
  await untilVolume(claim, 'lost');
  const answer = await alice.call('POST', '/stored/start');
  expect(answer).toMatchObject({ status: 409, body: { error: { reason: 'VolumeLost' } } });
  await make('stored', { class: 'kept', state: 'Running', run: 'again' });
  await untilTold('stored', 'Failed', 'VolumeLost', /^The storage behind the volume/);
});
