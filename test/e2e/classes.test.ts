/** What an administrator offers, on a real node: which version runs and stays, private registries, and IDEs that know no path. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import { WebSocket } from 'ws';
import type { ClassSpec } from '../../src/workbench/class.ts';
import type { Pod } from '../../src/workbench/objects.ts';
import { API_VERSION } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { client } from '../client.ts';
import type { Client, Item } from '../client.ts';
import { STRIP_ANNOTATIONS } from '../cluster/components/traefik.ts';
import { eventually } from '../eventually.ts';
import { CONTROLLER_USER } from '../installation.ts';
import { manifest } from '../manifest.ts';
import { open } from './browser.ts';
import { installForReal } from './installation.ts';
import type { RealInstallation } from './installation.ts';
import { processOf } from './processes.ts';

let world: RealInstallation;
let alice: Client;

beforeAll(async () => {
  world = await installForReal({
    WB_REGISTRY_EVERY: '1',
    INGRESS_STRIP_ANNOTATIONS: JSON.stringify(STRIP_ANNOTATIONS),
  });
  alice = client(world.rest, 'alice');
}, 1_800_000);

afterAll(() => world?.teardown());

const kubectl = (args: string[], input?: string) => world.cluster.kubectl([...args, '-n', 'workbenches'], input);
const offer = (name: string, spec: ClassSpec) =>
  kubectl(
    ['apply', '-f', '-'],
    stringify({ apiVersion: API_VERSION, kind: 'WorkbenchClass', metadata: { name }, spec }),
  );
const podOf = async (id: string) => {
  const { items } = JSON.parse(await kubectl(['get', 'pods', '-l', `workbench.h1st.ai/id=${id}`, '-o', 'json'])) as {
    items: Pod[];
  };
  expect(items).toHaveLength(1);
  return items[0]!;
};
const until = (what: string, id: string, isSo: (item: Item) => boolean) => eventually(what, () => alice.get(id), isSo);
const versionAt = async ({ public_endpoint: url }: Item) => (await open(url)).version;

async function restart(id: string): Promise<Item> {
  await alice.stop(id);
  await alice.until(id, 'stopped');
  await alice.start(id);
  return alice.until(id, 'running');
}

describe('which version runs', () => {
  test('whoever dies after a push comes back as it was; that there is a newer one is told, and the next start runs it', async () => {
    const one = await world.push('v1');
    const { workbench_id: id } = await alice.create();
    const item = await alice.until(id, 'running');
    expect(item).toMatchObject({ image: `${world.cluster.registry}/workbench:latest`, image_digest: one });
    const before = await podOf(id);
    expect(before.spec!.containers[0]!.image).toBe(`${world.cluster.registry}/workbench@${one}`);

    const two = await world.push('v2');
    await until('told', id, (now) => now.newer_image === true);
    expect(await kubectl(['get', 'wb', id, '-o', 'wide', '--no-headers'])).toMatch(/True\s*$/);
    expect(await kubectl(['describe', 'wb', id])).toContain(two);

    process.kill(processOf(id), 'SIGKILL');
    const restarts = async () => (await podOf(id)).status!.containerStatuses![0]!.restartCount;
    await eventually('restarted', restarts, (count) => count === 1);
    await eventually(
      'open again',
      () => versionAt(item),
      (version) => version === 'v1',
    );
    expect((await alice.until(id, 'running')).image_digest).toBe(one);
    expect((await podOf(id)).metadata.uid).toBe(before.metadata.uid);

    const next = await restart(id);
    expect([await versionAt(next), next.image_digest]).toEqual(['v2', two]);
    expect(next).not.toHaveProperty('newer_image');
    await alice.call('DELETE', `/${id}`);
  });

  test('a version is pinned, moved on from and rolled back to, over REST and in a manifest', async () => {
    const images = await Promise.all(['v1', 'v2'].map((version) => world.push(version)));
    const [one, two] = images.map((digest) => `${world.cluster.registry}/workbench@${digest}`);
    await offer('pinned', { image: two!, versions: [{ name: '1', image: one! }] });
    const { workbench_id: id } = await alice.create({ class: 'pinned', version: '1' });
    expect(await versionAt(await alice.until(id, 'running'))).toBe('v1');
    await alice.call('PATCH', `/${id}`, { version: null });
    expect(await alice.get(id)).toMatchObject({ status: 'running', restart_required: true });
    expect(await versionAt(await alice.get(id))).toBe('v1');
    expect(await versionAt(await restart(id))).toBe('v2');
    await alice.call('PATCH', `/${id}`, { version: '1' });
    expect(await versionAt(await restart(id))).toBe('v1');
    await alice.call('DELETE', `/${id}`);

    const pinned = (version: object, run: string) =>
      kubectl(['apply', '-f', '-'], manifest('by-hand', { class: 'pinned', run, ...version }));
    const runs = async (version: string) =>
      eventually(
        version,
        async () => versionAt(await alice.get('by-hand')),
        (seen) => seen === version,
      );
    await pinned({ version: '1' }, '1');
    await runs('v1');
    await pinned({}, '2');
    await runs('v2');
    await pinned({ version: '1' }, '3');
    await runs('v1');
    await kubectl(['delete', 'wb', 'by-hand']);
  });
});

test('a private registry is asked with the password of the Secret that pulls, if a Role of its own allows that', async () => {
  const latest = await world.push('v1');
  const registry = world.cluster.registry!;
  const asked: (string | undefined)[] = [];
  // Before the registry, and only for the controller: the node pulls from the registry itself.
  const guard = createServer((incoming, response) => {
    const { authorization } = incoming.headers;
    asked.push(authorization);
    if (authorization !== `Basic ${Buffer.from('lab:secret').toString('base64')}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="lab"' }).end();
      return;
    }
    const { method, url, headers } = incoming;
    request(`http://${registry}${url}`, { method: method!, headers: { accept: headers.accept } }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    }).end();
  }).listen(0, '127.0.0.1');
  await once(guard, 'listening');
  const address = `http://127.0.0.1:${(guard.address() as AddressInfo).port}`;
  const login = [`--docker-server=${registry}`, '--docker-username=lab', '--docker-password=secret'];
  await kubectl(['create', 'secret', 'docker-registry', 'registry', ...login]);
  await offer('private', { imagePullSecrets: [{ name: 'registry' }] });
  const imageOf = async () => {
    const { workbench_id: id } = await alice.create({ class: 'private' });
    await alice.until(id, 'running');
    const { image } = (await podOf(id)).spec!.containers[0]!;
    await alice.call('DELETE', `/${id}`);
    return image;
  };
  await world.end();
  await world.start({ WB_REGISTRIES: JSON.stringify({ [registry]: address }), WB_REGISTRY_SECRETS: 'true' });
  expect(await imageOf()).toBe(`${registry}/workbench:latest`);

  const role = readFileSync('deploy/registry-secrets/role.yaml', 'utf8');
  const asUser = role
    .replace('kind: ServiceAccount', 'kind: User\n    apiGroup: rbac.authorization.k8s.io')
    .replace(/ {4}name: workbench-controller\n {4}namespace: workbench-system/, `    name: ${CONTROLLER_USER}`);
  await world.cluster.kubectl(['apply', '-f', '-'], asUser);
  // The API server hears of a new Role a moment later.
  await eventually('with the digest', imageOf, (image) => image === `${registry}/workbench@${latest}`);
  const log = JSON.stringify(world.log());
  expect(log).toContain('cannot be asked');
  expect(log).not.toContain('secret"');
  expect(log).not.toContain(Buffer.from('lab:secret').toString('base64'));
  await world.end();
  await world.start({
    WB_REGISTRIES: JSON.stringify({ [registry]: `http://${registry}` }),
    WB_REGISTRY_SECRETS: 'false',
  });
  guard.close();
});

describe('what the node refuses is told', () => {
  test('an image that it may not pull: ErrImageNeverPull; a class that is mended starts it', async () => {
    await offer('refused', { image: 'registry.example/nowhere:1', imagePullPolicy: 'Never' });
    const { workbench_id: id } = await alice.create({ class: 'refused' });
    const told = await until('told', id, (item) => item.status_reason === 'ErrImageNeverPull');
    expect(told).toMatchObject({ status: 'failed', status_message: expect.stringContaining('could not be pulled') });
    expect(await kubectl(['describe', 'wb', id])).toContain('ErrImageNeverPull');
    await offer('refused', {});
    expect(await open((await alice.until(id, 'running')).public_endpoint)).toMatchObject({ status: 200, id });
    await alice.call('DELETE', `/${id}`);
  });

  test('an Ingress class that nobody serves: EndpointUnreachable, and running as soon as somebody does', async () => {
    await world.end();
    await world.start({ INGRESS_CLASS: 'nobody', WB_VERIFY_TIMEOUT: '2' });
    const { workbench_id: id } = await alice.create();
    const told = await until('told', id, (item) => item.status_reason === 'EndpointUnreachable');
    expect(told).toMatchObject({ status: 'failed', status_message: expect.stringContaining('does not lead to') });
    await world.end();
    await world.start({ INGRESS_CLASS: 'traefik', WB_VERIFY_TIMEOUT: '60' });
    expect(await open((await alice.until(id, 'running')).public_endpoint)).toMatchObject({ status: 200, id });
    await alice.call('DELETE', `/${id}`);
  });
});

describe('the path', () => {
  test('is handed to an IDE by its arguments', async () => {
    await offer('argued', {
      command: ['/usr/local/bin/node', '/app/server.mjs'],
      args: ['--base=$(WORKBENCH_BASE_PATH)'],
    });
    const { workbench_id: id } = await alice.create({ class: 'argued' });
    await alice.until(id, 'running');
    const [, ...args] = readFileSync(`/proc/${processOf(id)}/cmdline`, 'utf8').split('\0');
    expect(args).toContain(`--base=/project/${id}`);
    await alice.call('DELETE', `/${id}`);
  });

  test('is taken off for an IDE that knows none: its page, its files and its WebSocket open all the same', async () => {
    await offer('at-root', { basePath: 'Strip', readinessPath: '/version' });
    const { workbench_id: id, public_endpoint: url } = await alice.create({ class: 'at-root' });
    await alice.until(id, 'running');
    const page = await open(url);
    expect(page).toMatchObject({ status: 200, id });
    expect(JSON.parse((await open(`${url}/env`)).text)).toMatchObject({
      WORKBENCH_BASE_PATH: '/',
      JUPYTER_BASE_URL: '/',
    });
    expect(JSON.parse((await open(`${url}/headers`)).text)).toMatchObject({ 'x-forwarded-prefix': `/project/${id}` });
    const socket = new WebSocket(`${url.replace('http', 'ws')}/echo`);
    await once(socket, 'open');
    socket.send('hello');
    const [echoed] = (await once(socket, 'message')) as [Buffer];
    expect(String(echoed)).toBe('hello');
    socket.close();

    // The class is another by now; who runs is still reached as it was made.
    await offer('at-root', { readinessPath: '/version' });
    await until('outdated', id, (item) => item.restart_required === true);
    expect(await open(url)).toMatchObject({ status: 200, id });
    await restart(id);
    expect(JSON.parse((await open(`${url}/env`)).text)).toMatchObject({ WORKBENCH_BASE_PATH: `/project/${id}` });
    await alice.call('DELETE', `/${id}`);
  });
});

test('a class that is missing, or refuses, is a sentence over REST, on the object and in kubectl describe', async () => {
  await offer('small', { resources: { max: { memory: '64Mi' } } });
  for (const [name, spec, reason] of [
    ['unknown', { class: 'none' }, 'ClassMissing'],
    ['greedy', { class: 'small', resources: { memory: '1Gi' } }, 'SizeNotAllowed'],
  ] as const) {
    const { resources, ...wished } = spec as { class: string; resources?: { memory: string } };
    const body = { ...wished, ...(resources ? { requested_memory: resources.memory } : {}) };
    const answer = await alice.call('POST', '', body);
    expect(answer).toMatchObject({ status: 400, body: { error: { reason } } });
    await kubectl(['apply', '-f', '-'], manifest(name, spec));
    const read = async () => JSON.parse(await kubectl(['get', 'wb', name, '-o', 'json'])) as Workbench;
    const { status } = await eventually(reason, read, (seen) => seen.status?.reason === reason);
    expect(status).toMatchObject({ phase: 'Failed', message: answer.body.error!.message });
    expect(await kubectl(['describe', 'wb', name])).toContain(reason);
    await kubectl(['delete', 'wb', name]);
  }
});
