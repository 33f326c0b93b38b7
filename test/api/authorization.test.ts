/**
 * Every call × everybody, against the controller's own process on a real API server: what each is to a workbench of alice's, and
 * no more. The calls are those that the API describes of itself: one without a row in matrix.ts fails.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { connect } from '../../src/kube/connect.ts';
import { collectionPath, objectPath } from '../../src/kube/kinds.ts';
import type { Kind } from '../../src/kube/kinds.ts';
import { createTransport } from '../../src/kube/transport.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { newName } from '../../src/rest/new-name.ts';
import { errorSchema } from '../../src/rest/shapes.ts';
import { ANNOTATION_OWNER } from '../../src/workbench/identity.ts';
import { API_VERSION, NAME } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../eventually.ts';
import { CONTROLLER_USER, install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { startProvider } from '../provider.ts';
import type { Provider } from '../provider.ts';
import { ROWS, identitiesByKey, identitiesOf } from './matrix.ts';
import type { Identity, Row } from './matrix.ts';
import { namesOfNothing, sendRaw, waysTo } from './odd-paths.ts';

const NAMESPACE = 'workbenches';
const KEY = 'the-key-of-the-portal-0123456789';

let cluster: Cluster;
let installation: Installation;
let provider: Provider;
let admin: Transport;
let byToken: Record<string, Identity>;
/** One that nobody may change, and a volume. */
let victim: string;
let volume: string;
let before: Workbench;
/** The controller's words, by line, and its answers with their headers. */
const log: string[] = [];
const answers: string[] = [];

const create = (kind: Kind, object: object) =>
  admin.call<Workbench>('POST', collectionPath(kind, NAMESPACE), { body: object });
const read = (name: string) => admin.call<Workbench>('GET', objectPath('Workbench', NAMESPACE, name));

async function newWorkbench(state = 'Stopped'): Promise<string> {
  const share = (user: string, permission: string) => ({ user, permission });
  const spec = { owner: 'alice', state, shares: [share('walter', 'read-write'), share('rita', 'read')] };
  const name = newName();
  await create('Workbench', { apiVersion: API_VERSION, kind: 'Workbench', metadata: { name }, spec });
  return name;
}

async function newVolume(): Promise<string> {
  const labels = { 'app.kubernetes.io/managed-by': 'workbench-controller' };
  const metadata = { name: newName(), labels, annotations: { [ANNOTATION_OWNER]: 'alice' } };
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: 'a', resources: { requests: { storage: '1Gi' } } };
  await create('PersistentVolumeClaim', { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec });
  return metadata.name;
}

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  provider = await startProvider();
  byToken = await identitiesOf(provider);
  const env = { ...provider.env, LOG_LEVEL: 'trace' };
  installation = await install(cluster, { env, onLog: (line) => log.push(line) });
  admin = createTransport(connect(cluster.kubeconfig), 'admin');
  [victim, volume] = await Promise.all([newWorkbench('Running'), newVolume()]);
  before = await eventually(
    'running',
    () => read(victim),
    ({ status }) => status?.phase === 'Running',
  );
});

afterAll(async () => {
  await installation?.end();
  provider?.close();
  await admin?.close();
  await cluster?.stop();
});

interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

async function ask(method: string, path: string, { authorization, query }: Identity, body?: object): Promise<Answer> {
  const response = await fetch(`${installation.rest}${path}${query === undefined ? '' : `?${query}`}`, {
    method,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // Of each answer, and each connection, its own.
  const own = ['date', 'x-request-id', 'connection', 'keep-alive', 'transfer-encoding'];
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !own.includes(name)));
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  if (isStream) await response.body?.cancel();
  const text = isStream ? '' : await response.text();
  answers.push(JSON.stringify([...response.headers]), text);
  return { status: response.status, headers, text };
}

async function check(call: string, { body, ...row }: Row, who: string, identity: Identity): Promise<void> {
  const [method, template] = call.split(' ') as [string, string];
  const isVolume = template.startsWith('/volumes');
  const { is } = identity;
  const status = typeof is === 'string' ? row[is] : is.status;
  const isChange = method !== 'GET' && status < 300;
  const id = isChange ? await (isVolume ? newVolume() : newWorkbench()) : isVolume ? volume : victim;
  const askFor = (name: string) => ask(method, template.replace('{id}', name), identity, body);
  const answer = await askFor(id);
  expect([call, who, answer.status]).toEqual([call, who, status]);
  if (status < 300) {
    if (!template.includes('{id}') && is === 'other') expect(answer.text).not.toContain(victim);
    return;
  }
  const { reason } = errorSchema.parse(JSON.parse(answer.text)).error;
  if (typeof is !== 'string') expect([call, who, reason]).toEqual([call, who, is.reason]);
  if (status === 403 && typeof is === 'string') return;
  // To all others it is as if there were none: in each byte, but for the name that they have said themselves.
  const missing = newName();
  const none = await askFor(missing);
  expect({ ...none, text: none.text.replaceAll(missing, id) }).toEqual(answer);
}

async function checkAll(call: string, row: Row, identities: Record<string, Identity>): Promise<void> {
  for (const [who, identity] of Object.entries(identities)) await check(call, row, who, identity);
}

test('there is a row for each call that the API describes, and for no other', async () => {
  const { paths } = (await (await fetch(`${installation.rest}/openapi.json`)).json()) as { paths: object };
  const calls = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations as object).map((name) => `${name.toUpperCase()} ${path}`),
  );
  expect(calls.filter((call) => !call.startsWith('PARAMETERS ')).toSorted()).toEqual(Object.keys(ROWS).toSorted());
});

describe('with an OpenID provider', () => {
  test.each(Object.entries(ROWS))('%s is for whom it is for', (call, row) => checkAll(call, row, byToken));

  const reads = Object.keys(ROWS).filter((call) => call.startsWith('GET '));
  test.each(reads)('HEAD says no more than %s', async (call) => {
    const path = call.slice(4).replace('{id}', call.includes('volumes') ? volume : victim);
    for (const identity of Object.values(byToken)) {
      // What was deleted before goes in its time, and the answer changes with it.
      const seen = await eventually(
        'the same twice',
        async () => [
          await ask('GET', path, identity),
          await ask('HEAD', path, identity),
          await ask('GET', path, identity),
        ],
        ([before, , after]) => isDeepStrictEqual(before, after),
      );
      expect(seen[1]).toEqual({ ...seen[0], text: '' });
    }
  });

  test.each([...new Set(Object.keys(ROWS).map((call) => call.split(' ')[1]!))])(
    'no other method does anything to %s',
    async (path) => {
      const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter((name) => !ROWS[`${name} ${path}`]);
      for (const method of others)
        for (const who of ['nobody', 'the owner', 'another user']) {
          const answer = await ask(method, path.replace('{id}', victim), byToken[who]!);
          expect([method, who, answer.status]).toEqual([method, who, 405]);
        }
    },
  );
});

describe('a path that is no plain one', () => {
  const headers = () => [`authorization: ${byToken['another user']!.authorization}`, 'content-type: application/json'];
  const reads = async () =>
    (await cluster.audit(CONTROLLER_USER)).filter(({ verb, resource }) => verb === 'get' && resource !== 'leases');

  async function isRefused(method: string, target: string): Promise<void> {
    const { status, type, body } = await sendRaw(installation.rest, method, target, [
      ...headers(),
      'content-length: 2',
    ]);
    expect([target, [400, 404, 405, 414, 431].includes(status) ? 'refused' : status]).toEqual([target, 'refused']);
    expect(type).toMatch(/^application\/json/);
    errorSchema.parse(JSON.parse(body));
  }

  const calls = Object.keys(ROWS).filter((call) => call.includes('{id}'));
  test.each(calls)('in %s is answered as what is not there, and no API server is asked', async (call) => {
    const [method, template] = call.split(' ') as [string, string];
    const asked = (await reads()).length;
    for (const name of namesOfNothing(victim))
      await isRefused(
        method,
        template.replace('{id}', () => name),
      );
    expect((await reads()).slice(asked).map(({ requestURI }) => requestURI)).toEqual([]);
  });

  test.each(['GET', 'POST', 'PATCH', 'DELETE'])('leads nobody to what is not theirs by %s', async (method) => {
    const asked = (await reads()).length;
    for (const target of waysTo(victim)) await isRefused(method, target);
    const plain = new RegExp(`^${collectionPath('Workbench', NAMESPACE)}/${NAME.source.slice(1)}`);
    for (const { requestURI } of (await reads()).slice(asked)) expect(requestURI).toMatch(plain);
  });
});

describe('with a key', () => {
  beforeAll(async () => {
    await installation.end();
    const none = Object.fromEntries(Object.keys(provider.env).map((name) => [name, '']));
    await installation.start({ ...none, RESTAPI_AUTH_STATIC_KEY: KEY });
  });

  test.each(Object.entries(ROWS))('%s is for whom it is for', (call, row) => checkAll(call, row, identitiesByKey(KEY)));
});

describe('in the end', () => {
  test('nobody has changed what is not theirs', async () => {
    const after = await read(victim);
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.generation).toBe(before.metadata.generation);
    expect(after.status).toMatchObject({ phase: 'Running', podUID: before.status!.podUID });
    const claim = await admin.call('GET', objectPath('PersistentVolumeClaim', NAMESPACE, volume));
    expect(claim).not.toHaveProperty('metadata.deletionTimestamp');
  });

  test('no token or key is in the log, a metric, an answer, a status or a request to the API server', async () => {
    // A provider that is away is an error that is logged with its cause.
    provider.close();
    await installation.end();
    await installation.start({ ...provider.env, RESTAPI_AUTH_STATIC_KEY: '' });
    expect((await ask('GET', '/workbenches', byToken['the owner']!)).status).toBe(503);
    const odd = `access_token=${await provider.token('alice')}&token=${KEY}`;
    await ask('GET', '/workbenches', { query: odd, is: 'other' });
    const paths = installation.log().map(({ req }) => (req as { path: string } | undefined)?.path ?? '');
    expect([paths.length > 1_000, Math.max(...paths.map(({ length }) => length))]).toEqual([true, 120]);
    const places: Record<string, string> = {
      log: log.join('\n'),
      answers: answers.join('\n'),
      metrics: await (await fetch(`${installation.health}/metrics`)).text(),
      objects: await cluster.kubectl(['get', 'wb,pods,services,ingresses,events,pvc', '-A', '-o', 'yaml']),
      calls: JSON.stringify(await cluster.audit(CONTROLLER_USER)),
    };
    const secrets = [KEY, odd, ...Object.values(byToken).map(({ authorization = '' }) => authorization)]
      .flatMap((text) => text.split(/[ .=&]/))
      .filter((part) => part.length > 20);
    expect(secrets.length).toBeGreaterThan(50);
    for (const [place, text] of Object.entries(places))
      for (const secret of secrets)
        expect([place, text.includes(secret) ? secret : undefined]).toEqual([place, undefined]);
  });
});
