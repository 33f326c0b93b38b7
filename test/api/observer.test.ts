/** The observer that looks on in all other tests does see what must never be. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connect } from '../../src/kube/connect.ts';
import { collectionPath, objectPath } from '../../src/kube/kinds.ts';
import type { Kind } from '../../src/kube/kinds.ts';
import { createTransport } from '../../src/kube/transport.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { LABEL_UID } from '../../src/workbench/identity.ts';
import type { KubeObject, Pod } from '../../src/workbench/objects.ts';
import { isReady } from '../../src/workbench/phase.ts';
import { buildPod } from '../../src/workbench/pod.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../eventually.ts';
import { manifest } from '../manifest.ts';
import { observe } from '../observer.ts';
import type { Observer } from '../observer.ts';
import { settings } from '../workbench/sample.ts';

const { namespace: NAMESPACE } = settings;

let cluster: Cluster;
let controller: Transport;
let somebody: Transport;
let observer: Observer;
let made = 0;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  await cluster.kubectl(['create', 'namespace', NAMESPACE]);
  await cluster.kubectl(['wait', '-n', NAMESPACE, 'serviceaccount/default', '--for=create', '--timeout=120s']);
  controller = createTransport(connect(cluster.kubeconfig), 'workbench-controller (a bad one)');
  somebody = createTransport(connect(cluster.kubeconfig), 'somebody');
});

afterAll(async () => {
  await controller?.close();
  await somebody?.close();
  await cluster?.stop();
});

beforeEach(async () => void (observer = await observe(cluster.kubeconfig, NAMESPACE)));
afterEach(() => observer?.stop());

const create = <T extends KubeObject>(kind: Kind, body: object) =>
  controller.call<T>('POST', collectionPath(kind, NAMESPACE), { body });

async function workbench(): Promise<Workbench> {
  return create('Workbench', JSON.parse(manifest(`seen-${(made += 1)}`)) as object);
}

/** One of its Pods, ready; each of its own name. */
async function pod(owner: Workbench, labels: Record<string, string> = {}): Promise<Pod> {
  const { metadata, spec } = buildPod(owner, settings);
  const name = `${metadata.name}-${(made += 1)}`;
  const born = await create<Pod>('Pod', {
    metadata: { ...metadata, name, labels: { ...metadata.labels, ...labels } },
    spec,
  });
  await eventually('ready', () => controller.call<Pod>('GET', objectPath('Pod', NAMESPACE, name)), isReady);
  return born;
}

async function say({ metadata: { name } }: Workbench, podUID: string, by: Transport): Promise<void> {
  const body = { status: { phase: 'Running', podUID } };
  const contentType = 'application/merge-patch+json';
  await by.call('PATCH', `${objectPath('Workbench', NAMESPACE, name)}/status`, { body, contentType });
}

/** What it says of this workbench, each sentence once, when it has seen all that was done to it. */
async function violations({ metadata: { name } }: Workbench): Promise<string[]> {
  const { metadata } = await controller.call<Workbench>('GET', objectPath('Workbench', NAMESPACE, name));
  const isThere = () => observer.workbench(name)?.metadata.resourceVersion === metadata.resourceVersion;
  expect(await observer.until(isThere, 60_000)).toBe(true);
  const isOfIt = (sentence: string) => new RegExp(`^${name}\\b`).test(sentence);
  return [...new Set((await observer.violations()).filter(isOfIt))];
}

test('one ready Pod of its own, called running, is as it should be', async () => {
  const owner = await workbench();
  await say(owner, (await pod(owner)).metadata.uid!, controller);
  expect(await violations(owner)).toEqual([]);
});

test('two Pods of one workbench', async () => {
  const owner = await workbench();
  await pod(owner);
  await say(owner, (await pod(owner)).metadata.uid!, controller);
  expect(await violations(owner)).toEqual([expect.stringMatching('has 2 Pods')]);
});

test('a Pod that another workbench’s Service selects', async () => {
  const owner = await workbench();
  await say(owner, (await pod(owner, { [LABEL_UID]: 'another' })).metadata.uid!, controller);
  expect(await violations(owner)).toEqual([expect.stringMatching("'s Pod bears the label")]);
});

test('running, with a Pod that is another workbench’s', async () => {
  const [owner, other] = [await workbench(), await workbench()];
  await say(owner, (await pod(other)).metadata.uid!, controller);
  expect(await violations(owner)).toEqual([expect.stringMatching('not its own')]);
});

test('what somebody else has made a status say is not held against the controller', async () => {
  const owner = await workbench();
  await say(owner, 'no-pod', somebody);
  expect(await violations(owner)).toEqual([]);
});
