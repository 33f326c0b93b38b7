/**
 * Start states on a real API server: made while no controller runs, then left to one. Each must come to the end that the pure
 * core comes to in a simulated world (test/workbench), and then nothing is written any more.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { parseEnvironment, settingsFrom } from '../../src/config.ts';
import { connect } from '../../src/kube/connect.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { collectionPath, objectPath } from '../../src/kube/kinds.ts';
import type { Kind } from '../../src/kube/kinds.ts';
import { createTransport } from '../../src/kube/transport.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { publicEndpoint } from '../../src/workbench/identity.ts';
import type { KubeObject, Pod } from '../../src/workbench/objects.ts';
import { isReady } from '../../src/workbench/phase.ts';
import { API_VERSION, KIND } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../eventually.ts';
import { CONTROLLER_USER, bundle, install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { untilActing } from '../lease.ts';
import { OTHERS_FINALIZER, SAYS, begin } from '../workbench/begin.ts';
import { differences, endOf } from '../workbench/end.ts';
import type { End } from '../workbench/end.ts';
import { Operator } from '../workbench/operator.ts';
import { SOMEBODY, startStates } from '../workbench/start-states.ts';
import type { Child, StartState } from '../workbench/start-states.ts';
import { HELD } from '../workbench/world.ts';
import { ALL, list, listsOf, trimmed } from './lists.ts';

const ENV = { BASE_URL: 'http://cloud.example', WB_VERIFY_ENDPOINT: 'off', WB_RESOLVE_IMAGES: 'false' };
const settings = settingsFrom(parseEnvironment(ENV));
/** A node that nobody plays: what is bound to it is as its status says, and goes when it is let go. */
const NOWHERE = 'nowhere';
/** Simulated nodes make every Pod ready at once, and play no node that comes back. */
const CANNOT_BE_HELD = /pending|unknown/;
/** A prime, so that whatever the tables hold is met: a test counts it. */
const EACH = 127;

interface Case {
  state: StartState;
  name: string;
  /** What the simulated world comes to. */
  wanted: End;
  /** UIDs of strangers. */
  foreign: string[];
}

const states = startStates()
  .filter(({ id }) => !CANNOT_BE_HELD.test(id))
  .filter((_, index) => index % EACH === 0);

let cluster: Cluster;
let installation: Installation;
let transport: Transport;
let somebody: string;
let cases: Case[];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated' });
  installation = await install(cluster, { program: await bundle(cluster.dir) });
  await installation.end();
  transport = createTransport(connect(cluster.kubeconfig), 'start-states');
  const map = { metadata: { name: SOMEBODY.name } };
  const path = `/api/v1/namespaces/${settings.namespace}/configmaps`;
  somebody = (await transport.call<KubeObject>('POST', path, { body: map })).metadata.uid!;
  cases = await Promise.all(states.map((state, index) => make(state, `state-${index}`)));
  const begun = installation.log().length;
  await installation.start();
  await untilActing(installation, begun);
});

afterAll(async () => {
  await installation?.end();
  await transport?.close();
  await cluster?.stop();
});

const create = <T extends KubeObject>(kind: Kind, body: object) =>
  transport.call<T>('POST', collectionPath(kind, settings.namespace), { body });
const patch = (kind: Kind, name: string, body: object, subresource = '') =>
  transport.call<KubeObject>('PATCH', objectPath(kind, settings.namespace, name) + subresource, {
    body,
    contentType: 'application/merge-patch+json',
  });
const remove = (kind: Kind, name: string, options: object = {}) =>
  transport.call('DELETE', objectPath(kind, settings.namespace, name), { body: options });

/** The state in the real namespace, and what a simulated one comes to from the same. */
async function make(state: StartState, name: string): Promise<Case> {
  const { wish } = state;
  const finalizers = wish.deletion === 'held' ? { finalizers: [OTHERS_FINALIZER] } : {};
  const born = await create<Workbench>('Workbench', {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, ...finalizers },
    spec: { owner: 'alice', ...wish.spec },
  });
  const owner = { metadata: { name, uid: born.metadata.uid!, generation: 1 }, spec: born.spec };
  const started: StartState = { ...state, children: (...args) => state.children(...args).map(ofSomebody) };
  const children = started.children(owner, settings);
  const made = await Promise.all(children.map(put));
  const pod = made.find((_, index) => children[index]!.kind === 'Pod')?.metadata.uid ?? 'none';
  const status = state.status(pod, publicEndpoint(name, settings));
  if (status) await patch('Workbench', name, { status }, '/status');
  if (wish.deletion) await remove('Workbench', name, { propagationPolicy: POLICY[wish.deletion] });
  const foreign = made.filter((_, index) => children[index]!.isForeign);
  return { state, name, wanted: wantedEnd(started, owner), foreign: foreign.map(({ metadata }) => metadata.uid!) };
}

const POLICY = { foreground: 'Foreground', orphan: 'Orphan', held: 'Background', over: 'Background' };

function wantedEnd(state: StartState, owner: Workbench): End {
  const { world } = begin(state, owner, settings, Date.now());
  const operator = new Operator(world, settings, owner.metadata.name);
  operator.settle();
  world.release();
  operator.settle();
  return endOf(
    trimmed((kind) => world.list(kind)),
    owner.metadata.name,
  );
}

function ofSomebody(child: Child): Child {
  const { metadata } = child.object;
  if (metadata.ownerReferences?.[0]?.uid !== SOMEBODY.uid) return child;
  const ownerReferences = [{ ...SOMEBODY, uid: somebody }];
  return { ...child, object: { ...child.object, metadata: { ...metadata, ownerReferences } } };
}

async function put({ kind, object, isLeaving, says = 'ready' }: Child): Promise<KubeObject> {
  const { name } = object.metadata;
  const isPod = kind === 'Pod';
  const held = isLeaving ? { metadata: { ...object.metadata, finalizers: [HELD] } } : {};
  const bound = isLeaving && isPod ? { spec: { ...(object as Pod).spec, nodeName: NOWHERE } } : {};
  const made = await create(kind, { ...object, ...held, ...bound });
  if (isPod && !isLeaving) {
    // The garbage collector may have taken a predecessor's before it is ready; what comes of that is the same.
    const look = () =>
      transport.call<Pod>('GET', objectPath(kind, settings.namespace, name)).catch((error: unknown) => {
        if (isKubeError(error, 'notFound')) return undefined;
        throw error;
      });
    await eventually('ready', look, (seen) => seen === undefined || isReady(seen));
  }
  if (isPod && (isLeaving || says !== 'ready')) {
    await patch(kind, name, { status: { conditions: null, ...SAYS[says](made) } }, '/status');
  }
  if (isLeaving) await remove(kind, name);
  return made;
}

/** What does not end as it should, one line for each difference. */
async function wrong(): Promise<string[]> {
  if (!(await quiet())) return ['it still writes'];
  const seen = await listsOf(transport, settings.namespace);
  return cases.flatMap(({ state, name, wanted }) =>
    differences(endOf(seen(name), name), wanted).map((difference) => `${name} (${state.id}): ${difference}`),
  );
}

const writes = async () =>
  (await cluster.audit(CONTROLLER_USER)).filter(
    ({ verb, resource }) =>
      ['create', 'patch', 'update', 'delete'].includes(verb) && !['leases', 'events'].includes(resource),
  );

/** Lets go of all that was held, in the real namespace. */
async function release(): Promise<void> {
  for (const kind of ALL) {
    const items = await list(transport, settings.namespace, kind);
    const held = items.filter(({ metadata }) => metadata.finalizers?.includes(HELD));
    await Promise.all(
      held.map(async ({ metadata: { name } }) => {
        if (kind === 'Pod') await remove(kind, name, { gracePeriodSeconds: 0 });
        await patch(kind, name, { metadata: { finalizers: null } });
      }),
    );
  }
}

test('every condition of every child is among them, and every wish', () => {
  const values = (all: StartState[]) => new Set(all.flatMap(({ id }) => id.split(' | ')));
  const possible = startStates().filter(({ id }) => !CANNOT_BE_HELD.test(id));
  expect(values(states)).toEqual(values(possible));
});

test(`${states.length} states end as the pure core says, with strangers untouched, and then rest`, async () => {
  await eventually('quiet', quiet, Boolean);
  await release();
  // The garbage collector of a new cluster finds our kind within half a minute; a Pod that failed at once is replaced after that.
  const problems = await eventually('at their ends', wrong, (lines) => lines.length === 0);
  expect(problems).toEqual([]);
  const seen = await listsOf(transport, settings.namespace);
  const left = cases.flatMap(({ name }) =>
    ALL.flatMap((kind) =>
      seen(name)
        .list(kind)
        .map(({ metadata }) => metadata.uid),
    ),
  );
  expect(cases.flatMap(({ foreign }) => foreign).filter((uid) => !left.includes(uid))).toEqual([]);
  const before = (await writes()).length;
  await delay(3_000);
  expect((await writes()).slice(before)).toEqual([]);
});

/** Whether it has written nothing for a second. */
async function quiet(): Promise<boolean> {
  const before = (await writes()).length;
  await delay(1_000);
  return (await writes()).length === before;
}
