/**
 * Sequences of what people do, by REST, by manifest and by hand, sense and nonsense and back, on several workbenches at once of a
 * real API server: each ends as the pure core says that a new workbench with its last spec does, and the observer has seen
 * nothing that must not be. WB_TEST_SEED tries other sequences; with WB_TEST_PATH, as a failure prints it, one is played again.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { parseEnvironment, settingsFrom } from '../../src/config.ts';
import { connect } from '../../src/kube/connect.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { collectionPath, objectPath } from '../../src/kube/kinds.ts';
import { createTransport } from '../../src/kube/transport.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { claimName, LABEL_UID, ingressName, podName, serviceName } from '../../src/workbench/identity.ts';
import { API_VERSION, KIND } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import type { ChildKind } from '../../src/workbench/steps.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../eventually.ts';
import { bundle, install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { observe } from '../observer.ts';
import type { Observer } from '../observer.ts';
import { differences, endOf } from '../workbench/end.ts';
import type { End } from '../workbench/end.ts';
import { Operator } from '../workbench/operator.ts';
import { World } from '../workbench/world.ts';
import { listsOf, trimmed } from './lists.ts';

const IMAGE = 'registry.example/lab:latest';
const ENV = {
  WORKBENCH_IMAGE: IMAGE,
  BASE_URL: 'http://cloud.example',
  WB_VERIFY_ENDPOINT: 'off',
  WB_RESOLVE_IMAGES: 'false',
};
const settings = settingsFrom(parseEnvironment(ENV));
const ROUNDS = 6;
const AT_ONCE = 5;
const LONGEST = 12;

let cluster: Cluster;
let installation: Installation;
let transport: Transport;
let observer: Observer;
let alice: Client;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster, { program: await bundle(cluster.dir), env: ENV });
  transport = createTransport(connect(cluster.kubeconfig), 'sequences');
  observer = await observe(cluster.kubeconfig, settings.namespace);
  alice = client(installation.rest, 'alice');
});

afterAll(async () => {
  await observer?.stop();
  await installation?.end();
  await transport?.close();
  await cluster?.stop();
});

const pathOf = (kind: ChildKind | 'Workbench', name: string) => objectPath(kind, settings.namespace, name);

/** Whoever acts on what has gone meanwhile, or comes twice, is told so. */
async function maybe<T>(call: Promise<T>): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    if (isKubeError(error, 'notFound', 'alreadyExists', 'conflict')) return undefined;
    throw error;
  });
}

const read = (name: string) => maybe(transport.call<Workbench>('GET', pathOf('Workbench', name)));
const merge = (kind: ChildKind | 'Workbench', name: string, body: object) =>
  maybe(transport.call('PATCH', pathOf(kind, name), { body, contentType: 'application/merge-patch+json' }));
const create = (name: string) =>
  maybe(
    transport.call('POST', collectionPath('Workbench', settings.namespace), {
      body: { apiVersion: API_VERSION, kind: KIND, metadata: { name }, spec: { owner: 'alice' } },
    }),
  );
const remove = (kind: ChildKind | 'Workbench', name: string) => maybe(transport.call('DELETE', pathOf(kind, name)));
const manifest = (spec: object) => (name: string) => merge('Workbench', name, { spec });

async function rest(method: string, path: string, body?: object): Promise<void> {
  const answer = await alice.call(method, path, body);
  if (answer.status >= 500) throw new Error(`${method} ${path} was answered ${answer.status}`);
}

const CHILD: Record<ChildKind, (workbench: Workbench) => string> = {
  Pod: (workbench) => podName(workbench),
  Service: serviceName,
  Ingress: ingressName,
  PersistentVolumeClaim: claimName,
};
const child = (kind: ChildKind, act: (kind: ChildKind, name: string) => Promise<unknown>) => async (name: string) => {
  const workbench = await read(name);
  if (workbench) await act(kind, CHILD[kind](workbench));
};

let runs = 0;
const ACTIONS: Record<string, (name: string) => Promise<unknown>> = {
  create,
  'REST start': (name) => rest('POST', `/${name}/start`),
  'REST stop': (name) => rest('POST', `/${name}/stop`),
  'REST delete': (name) => rest('DELETE', `/${name}`),
  'REST more memory': (name) => rest('PATCH', `/${name}`, { requested_memory: '4Gi' }),
  'REST nonsense': (name) => rest('PATCH', `/${name}`, { requested_memory: 'lots', image: 'elsewhere.example/miner' }),
  'REST the usual memory': (name) => rest('PATCH', `/${name}`, { requested_memory: null }),
  'manifest: stopped': manifest({ state: 'Stopped' }),
  'manifest: running': manifest({ state: 'Running' }),
  'manifest: another run': (name) => manifest({ state: 'Running', run: `again-${(runs += 1)}` })(name),
  'manifest: another image': manifest({ image: 'registry.example/lab:v2' }),
  'manifest: a refused image': manifest({ image: 'elsewhere.example/miner' }),
  'manifest: the usual image': manifest({ image: null }),
  'delete in the background': (name) => remove('Workbench', name),
  'the Pod is deleted': child('Pod', remove),
  'the Pod is unlabelled': child('Pod', (kind, name) =>
    merge(kind, name, { metadata: { labels: { [LABEL_UID]: null } } }),
  ),
  'the Service is deleted': child('Service', remove),
  'the Service is edited': child('Service', (kind, name) => merge(kind, name, { spec: { selector: { app: 'x' } } })),
  'the Ingress is deleted': child('Ingress', remove),
  'the Ingress is edited': child('Ingress', (kind, name) =>
    merge(kind, name, { spec: { rules: null, defaultBackend: { service: { name: 'x', port: { number: 80 } } } } }),
  ),
  'a moment passes': () => delay(100),
  'a while passes': () => delay(700),
};

/** What the pure core comes to from nothing but this Workbench. */
function endOfNew({ metadata: { name, uid }, spec }: Workbench): End {
  const world = new World(Date.now());
  const born: Workbench = { metadata: { name, uid: uid! }, spec };
  world.create('Workbench', born);
  new Operator(world, settings, name).settle();
  return endOf(
    trimmed((kind) => world.list(kind)),
    name,
  );
}

interface Seen {
  workbench?: Workbench;
  problems: string[];
}

/** A Service is kept by whatever has had one. */
async function judge(name: string): Promise<Seen> {
  const seen = (await listsOf(transport, settings.namespace))(name);
  const [workbench] = seen.list('Workbench');
  const { Service, ...end } = endOf(seen, name);
  if (!workbench) return { problems: differences({ ...end, ...(Service ? { Service } : {}) }, {}) };
  const wanted = endOfNew(workbench);
  return { workbench, problems: differences({ ...end, ...(wanted.Service ? { Service } : {}) }, wanted) };
}

const asNew = (name: string, check: (seen: Seen) => boolean) => eventually(`${name}: as new`, () => judge(name), check);

async function play(sequence: string[], name: string): Promise<void> {
  await create(name);
  for (const action of sequence) await ACTIONS[action]!(name);
  // The Pod that somebody works in is another than a new one only where the status says so.
  const isRestartRequired = ({ workbench }: Seen) =>
    workbench?.status?.observedGeneration === workbench?.metadata.generation &&
    workbench?.status?.conditions?.some(({ type }) => type === 'RestartRequired') === true;
  const { workbench } = await asNew(name, (seen) => seen.problems.length === 0 || isRestartRequired(seen));
  if (!workbench || workbench.spec.state === 'Stopped') return;
  await ACTIONS['manifest: another run']!(name);
  await asNew(name, ({ problems }) => problems.length === 0);
}

const sequence = fc.array(fc.constantFrom(...Object.keys(ACTIONS)), { minLength: 1, maxLength: LONGEST, size: 'max' });

/** One after the other on a workbench each. What has been found when the time is up is told, however far it is shrunk. */
async function playAll(seed: number, path?: string): Promise<void> {
  let played = 0;
  const property = fc.asyncProperty(sequence, async (actions) => {
    const name = `sequence-${seed}-${(played += 1)}`;
    await play(actions, name);
    expect((await observer.violations()).filter((text) => text.includes(name))).toEqual([]);
  });
  await fc.assert(property, { numRuns: ROUNDS, seed, interruptAfterTimeLimit: 150_000, ...(path ? { path } : {}) });
}

test(`${ROUNDS * AT_ONCE} sequences of actions on real workbenches end as new ones do, and never have two Pods`, async () => {
  const { WB_TEST_SEED = '1', WB_TEST_PATH } = process.env;
  const first = Number(WB_TEST_SEED);
  if (WB_TEST_PATH) await playAll(first, WB_TEST_PATH);
  else await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => playAll(first + index)));
  expect(await observer.violations()).toEqual([]);
});
