/** The controller as it ships: its image made and pushed by build.sh, installed by deploy.sh, running as a Pod under its own Role. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Workbench } from '../../src/workbench/resource.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../eventually.ts';
import { lookOn } from '../look-on.ts';
import { buildImage } from '../images/buildImage.ts';
import { pushBuildBase, pushRuntimeBase } from '../images/pushBases.ts';
import { pushWorkbenchImage } from '../images/push.ts';
import { glance, open } from './browser.ts';

let cluster: Cluster;
let workbenchImage: string;
let alice: Client;
let rest: string;

const DEPLOYMENT = 'deployment/workbench-controller';
const system = (args: string[]) => cluster.kubectl([...args, '-n', 'workbench-system']);
const workbenches = (args: string[], input?: string) => cluster.kubectl([...args, '-n', 'workbenches'], input);

const podOf = async (id: string) =>
  (await workbenches(['get', 'pods', '-l', `workbench.h1st.ai/id=${id}`, '-o', 'name'])).trim();

const LABEL = 'app.kubernetes.io/name=workbench-controller';

/** This host reaches Pods by their addresses; ClusterIPs are for Pods, and are tried from one below. */
async function connectToPod(): Promise<Client> {
  const addresses = () => system(['get', 'pods', '-l', LABEL, '-o', 'jsonpath={.items[*].status.podIP}']);
  const two = await eventually('two replicas', addresses, (all) => /^[\d.]+ [\d.]+$/.test(all));
  rest = `http://${two.split(' ')[0]}:8999`;
  return client(rest, 'alice');
}

/** As an admin does it: settings.env, then deploy.sh. */
async function installController(): Promise<void> {
  const settings = {
    BASE_URL: cluster.ingressUrl,
    INGRESS_CLASS: 'traefik',
    WB_VERIFY_ADDRESS: `${cluster.hostAddress}:${new URL(cluster.ingressUrl!).port}`,
    WORKBENCH_IMAGE: workbenchImage,
    WB_DEFAULT_CPU: '10m',
    WB_DEFAULT_RAM: '128Mi',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  for (const part of ['deploy', 'crds', 'deploy.sh']) cpSync(part, join(admin(), part), { recursive: true });
  writeFileSync(join(admin(), 'deploy/controller/settings.env'), lines.join(''));
  const env = {
    PATH: process.env.PATH,
    HOME: cluster.dir,
    KUBECTL: cluster.binary('kubectl'),
    KUBECONFIG: cluster.kubeconfig,
    IMAGE_NAME: `${cluster.registry}/workbench-controller`,
    IMAGE_TAG: 'test',
  };
  await promisify(execFile)(join(admin(), 'deploy.sh'), [], { env, timeout: 600_000 });
}

/** A copy of what an admin has, to write settings into. */
const admin = () => join(cluster.dir, 'admin');

/** The whole story as a client inside the cluster has it; prints what it saw. */
const STORY = `
const [rest, ingress] = process.argv.slice(1);
const call = (method, path = '') => fetch(rest + '/workbenches' + path + '?user_id=alice', { method }).then((r) => r.json());
const seen = [];
const until = async (id, status) => {
  for (;;) {
    const { item, error } = await call('GET', '/' + id);
    if ((item?.status ?? error.reason) === status) return seen.push(status);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const { item } = await call('POST');
const id = item.workbench_id;
const page = async () => seen.push((await fetch(ingress + '/project/' + id)).headers.get('x-workbench-id') === id);
await until(id, 'running');
await page();
await call('POST', '/' + id + '/stop');
await until(id, 'stopped');
await call('POST', '/' + id + '/start');
await until(id, 'running');
await page();
await call('DELETE', '/' + id);
await until(id, 'NotFound');
console.log(JSON.stringify(seen));
`;

/** Files of the Pod: that a hundred requests were answered, and that there are enough. */
const BEGUN = '/home/project/begun';
const ENOUGH = '/home/project/enough';

/** Asks a hundred times a second until there is enough, and prints what was not answered with 200. */
const ASK = `
const [url, begun, enough] = process.argv.slice(1);
const { existsSync, writeFileSync } = require('node:fs');
const failed = [];
const asked = [];
const began = performance.now();
const timer = setInterval(async () => {
  asked.push(fetch(url).then((r) => r.text().then(() => r.ok || failed.push(r.status)), (e) => failed.push(String(e.cause ?? e))));
  if (asked.length === 100) Promise.all(asked).then(() => writeFileSync(begun, ''));
  if (!existsSync(enough)) return;
  clearInterval(timer);
  await Promise.all(asked);
  const seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify({ asked: asked.length, seconds, failed }));
}, 10);
`;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'real', install: process.env.WB_TEST_NO_INSTALL === undefined });
  const registry = cluster.registry!;
  const [workbench, base, build] = [
    await pushWorkbenchImage({ registry, version: 'v1' }),
    await pushRuntimeBase(registry),
    await pushBuildBase(registry),
  ];
  await buildImage({
    buildArgs: { BUILD_IMAGE: build.image, BASE_IMAGE: base.image },
    name: 'workbench-controller',
    tag: 'test',
    registry,
  });
  workbenchImage = workbench.image;
  await installController();
  await lookOn(cluster, 'workbenches');
  alice = await connectToPod();
}, 1_800_000);

afterAll(async () => {
  await cluster?.stop();
});

test('over REST: create, open, stop, see the state page, start', async () => {
  const { workbench_id: id, public_endpoint: url } = await alice.create();
  await alice.until(id, 'running');
  expect(await open(url)).toMatchObject({ status: 200, id, version: 'v1' });
  await alice.stop(id);
  await alice.until(id, 'stopped');
  const page = await eventually(
    'the state page',
    () => glance(url),
    // Either replica answers, and one has heard of it before the other.
    ({ state }) => state === 'stopped',
  );
  expect(page).toMatchObject({ status: 503, state: 'stopped' });
  await alice.start(id);
  await alice.until(id, 'running');
  expect(await open(url)).toMatchObject({ status: 200, id });
});

test('the page of the API and its files are in the image', async () => {
  for (const path of ['/docs', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/start.js'])
    expect([path, (await fetch(rest + path)).status]).toEqual([path, 200]);
});

test('the same from inside a Pod, by the ClusterIP of the REST facade and through the Ingress', async () => {
  const { workbench_id: id } = await alice.create();
  await alice.until(id, 'running');
  const service = await system([
    'get',
    'service',
    'workbench-controller',
    '-o',
    'jsonpath=http://{.spec.clusterIP}:8999',
  ]);
  const ingress = `http://${cluster.hostAddress}:${new URL(cluster.ingressUrl!).port}`;
  const node = ['/usr/local/bin/node', '--input-type=module', '-e', STORY, service, ingress];
  const said = await cluster.kubectl(['exec', '-n', 'workbenches', await podOf(id), '--', ...node]);
  expect(JSON.parse(said)).toEqual(['running', true, 'stopped', 'running', true, 'NotFound']);
});

test('by a manifest, and deleted: nothing is left', async () => {
  await workbenches(['apply', '-f', 'deploy/sample.yaml']);
  await workbenches([
    'patch',
    'wb',
    'genome',
    '--type=merge',
    '-p',
    '{"spec":{"resources":{"cpu":"10m","memory":"128Mi"}}}',
  ]);
  await workbenches(['wait', 'wb', 'genome', '--for=condition=Ready', '--timeout=120s']);
  expect(await open(`${cluster.ingressUrl}/project/genome`)).toMatchObject({ status: 200, id: 'genome' });
  await workbenches(['delete', 'wb', 'genome']);
  const left = () => workbenches(['get', 'pods,services,ingresses', '-l', 'workbench.h1st.ai/id=genome', '-o', 'name']);
  await eventually('collected', left, (names) => names === '');
});

test('the controller is uninstalled and installed again, and no workbench notices', async () => {
  const { workbench_id: id, public_endpoint: url } = await alice.create();
  await alice.until(id, 'running');
  const read = async () => JSON.parse(await workbenches(['get', 'wb', id, '-o', 'json'])) as Workbench;
  const before = await read();
  await cluster.kubectl(['delete', '-k', join(admin(), 'deploy/controller'), '--timeout=120s']);
  expect(await open(url)).toMatchObject({ status: 200, id });
  await installController();
  alice = await connectToPod();
  expect((await alice.call('PATCH', `/${id}`, { workbench_name: 'seen by the new one' })).status).toBe(200);
  const after = await eventually(
    'seen',
    read,
    ({ metadata, status }) => status!.observedGeneration === metadata.generation,
  );
  expect([after.status!.podUID, after.status!.verifiedAt]).toEqual([before.status!.podUID, before.status!.verifiedAt]);
  expect(await open(url)).toMatchObject({ status: 200, id });
});

test('a rolling update fails no request, a hundred a second through the ClusterIP', async () => {
  const { workbench_id: id } = await alice.create();
  await alice.until(id, 'running');
  const address = await system(['get', 'service', 'workbench-controller', '-o', 'jsonpath={.spec.clusterIP}']);
  const url = `http://${address}:8999/workbenches?user_id=alice`;
  const pod = await podOf(id);
  const inPod = (script: string, ...args: string[]) =>
    cluster.kubectl(['exec', '-n', 'workbenches', pod, '--', '/usr/local/bin/node', '-e', script, ...args]);
  const asking = inPod(ASK, url, BEGUN, ENOUGH);
  const earlier = (await system(['get', 'pods', '-l', LABEL, '-o', 'name'])).trim().split('\n');
  try {
    const hasBegun = () => inPod(`process.stdout.write(String(require('node:fs').existsSync('${BEGUN}')))`);
    await eventually(
      'asked',
      () => Promise.race([hasBegun(), asking]),
      (said) => said === 'true',
    );
    await system(['rollout', 'restart', DEPLOYMENT]);
    await system(['rollout', 'status', DEPLOYMENT, '--timeout=300s']);
    await system(['wait', '--for=delete', ...earlier, '--timeout=300s']);
  } finally {
    await inPod(`require('node:fs').writeFileSync('${ENOUGH}', '')`);
  }
  const { asked, seconds, failed } = JSON.parse(await asking) as { asked: number; seconds: number; failed: unknown[] };
  process.stderr.write(
    `${asked} requests in ${seconds.toFixed(1)} s, a rolling update among them, ${failed.length} failed\n`,
  );
  expect(failed).toEqual([]);
});
