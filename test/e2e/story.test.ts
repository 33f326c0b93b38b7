/** The main job on real Pods: REST, kubectl and Git make workbenches that open in a browser. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import type { Workbench } from '../../src/workbench/resource.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { judge } from '../kstatus.ts';
import { manifest } from '../manifest.ts';
import { glance, open } from './browser.ts';
import { installForReal } from './installation.ts';
import type { RealInstallation } from './installation.ts';

let world: RealInstallation;
let alice: Client;

beforeAll(async () => {
  world = await installForReal({ WB_UNSCHEDULABLE_AFTER: '5' });
  alice = client(world.rest, 'alice');
}, 1_800_000);

afterAll(async () => {
  await world?.teardown();
});

const kubectl = (args: string[], input?: string) => world.cluster.kubectl([...args, '-n', 'workbenches'], input);
const read = async (name: string) => JSON.parse(await kubectl(['get', 'wb', name, '-o', 'json'])) as Workbench;
const kstatus = async (name: string) => judge(world.cluster, JSON.stringify(await read(name))).split(' ')[0];
const apply = (name: string, spec: object) => kubectl(['apply', '-f', '-'], manifest(name, spec));

describe('the README', () => {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/```bash\n(.*?)```/gs)].map(([, block]) => block!);

  /** Runs a block as a newcomer would paste it, on this installation's addresses. */
  async function paste(block: string): Promise<string> {
    const script = block
      .replaceAll('http://127.0.0.1:8999', world.rest)
      .replaceAll('http://127.0.0.1:8080', world.cluster.ingressUrl!)
      .replaceAll('$PWD/.local/kubeconfig', world.cluster.kubeconfig);
    const PATH = `${dirname(world.cluster.binary('kubectl'))}:${process.env.PATH}`;
    const env = { ...process.env, PATH, KUBECONFIG: world.cluster.kubeconfig };
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { env, timeout: 60_000 });
    return stdout;
  }

  test('its REST example does what it says', async () => {
    const said = await paste(blocks.find((block) => block.includes('curl'))!);
    expect(said).toMatch(
      /"status":"running".*<h1>workbench<\/h1>.*\{"success":true\}\{"success":true\}.*"workbench_name":"Genome lab".*\{"success":true\}$/s,
    );
  });

  test('its kubectl example does what it says', async () => {
    const said = await paste(blocks.find((block) => block.includes('kubectl apply'))!);
    expect(said).toMatch(
      /genome created\n.*condition met\n.*genome +alice +Running .*patched\n.*patched\n.*genome" deleted/s,
    );
  });
});

describe('over REST', () => {
  test('a workbench is created, runs, opens, keeps files, echoes over a WebSocket, stops and starts again', async () => {
    const { workbench_id: id, public_endpoint: url } = await alice.create();
    expect(url).toBe(`${world.cluster.ingressUrl}/project/${id}`);
    await alice.until(id, 'running');
    expect(await open(url)).toMatchObject({ status: 200, version: 'v1', id });
    expect(await open(`${url}/version`)).toMatchObject({ status: 200, text: expect.stringContaining('v1') });

    const saved = await fetch(`${url}/files/note.txt`, { method: 'PUT', body: 'kept while it runs' });
    expect(saved.ok).toBe(true);
    expect((await open(`${url}/files/note.txt`)).text).toBe('kept while it runs');

    const echoed = await new Promise<string>((resolve, reject) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/echo`);
      socket.on('open', () => socket.send('hello'));
      socket.on('message', (data) => {
        socket.close();
        resolve(String(data as Buffer));
      });
      socket.on('error', reject);
    });
    expect(echoed).toBe('hello');

    const env = JSON.parse((await open(`${url}/env`)).text) as Record<string, string>;
    expect(env).toMatchObject({
      WORKBENCH_ID: id,
      WORKBENCH_OWNER: 'alice',
      WORKBENCH_URL: url,
      WORKBENCH_BASE_PATH: `/project/${id}`,
      JUPYTER_BASE_URL: `/project/${id}`,
      WORKSPACE_PATH: '/home/project',
    });
    // The kubelet adds the API server's address; no other Service's.
    expect(Object.keys(env).filter((name) => name.endsWith('_SERVICE_HOST'))).toEqual(['KUBERNETES_SERVICE_HOST']);

    await alice.stop(id);
    await alice.until(id, 'stopped');
    const page = await eventually(
      'the state page',
      () => glance(url),
      ({ state }) => state !== null,
    );
    expect(page).toMatchObject({ status: 503, state: 'stopped', retryAfter: '2', version: null });
    expect(page.text).toContain('This workbench is stopped');

    await alice.start(id);
    await alice.until(id, 'running');
    expect(await open(url)).toMatchObject({ status: 200, id });
  });

  test('a pushed image reaches a workbench at its next start and not before, and the digest is in the status', async () => {
    const first = await world.push('v1');
    const { workbench_id: id, public_endpoint: url } = await alice.create();
    expect(await alice.until(id, 'running')).toMatchObject({ image_digest: first });
    const second = await world.push('v2');
    expect(second).not.toBe(first);
    expect(await open(url)).toMatchObject({ version: 'v1' });
    await alice.start(id);
    expect(await open(url)).toMatchObject({ version: 'v1' });
    await alice.stop(id);
    await alice.start(id);
    const item = await eventually(
      'running v2',
      () => alice.get(id),
      ({ status, image_digest }) => status === 'running' && image_digest === second,
    );
    expect(item).not.toHaveProperty('status_reason');
    expect(await open(url)).toMatchObject({ version: 'v2' });
    // Both digests are in the story that kubectl tells of it.
    const ran = (digest: string) => `Running after \\d+ s on node \\S+ with \\S+ \\(${digest}\\)`;
    const story = () => kubectl(['events', '--for', `workbench/${id}`]);
    const isTold = new RegExp(`${ran(first)}[^]*${ran(second)}`);
    await eventually('told', story, (text) => isTold.test(text));
  });

  test('a Pod killed by hand comes back with the digest that it had, though the tag has moved on', async () => {
    const before = await world.push('v3');
    const { workbench_id: id, public_endpoint: url } = await alice.create();
    await alice.until(id, 'running');
    const uid = (await read(id)).status!.podUID!;
    await world.push('v4');
    await kubectl(['delete', 'pod', '-l', `workbench.h1st.ai/id=${id}`]);
    const isBack = ({ status }: Workbench) => status!.phase === 'Running' && status!.podUID !== uid;
    const after = await eventually('back', () => read(id), isBack);
    expect(after.status!.image!.digest).toBe(before);
    expect(await open(url)).toMatchObject({ status: 200, version: 'v3' });
  });

  test('values that a user wrote arrive as they were written, and what they ask for is what the Pod gets', async () => {
    const { workbench_id: id, public_endpoint: url } = await alice.create({
      workbench_name: 'Génome',
      requested_cpu: '20m',
      requested_memory: '150Mi',
      env: [{ name: 'PROMPT', value: '$(WORKBENCH_OWNER) $$ $HOME' }],
    });
    await alice.until(id, 'running');
    const env = JSON.parse((await open(`${url}/env`)).text) as Record<string, string>;
    expect(env.PROMPT).toBe('$(WORKBENCH_OWNER) $$ $HOME');
    const resources = await kubectl([
      'get',
      'pods',
      '-l',
      `workbench.h1st.ai/id=${id}`,
      '-o',
      'jsonpath={.items[0].spec.containers[0].resources}',
    ]);
    expect(JSON.parse(resources)).toEqual({
      requests: { cpu: '20m', memory: '150Mi' },
      limits: { cpu: '20m', memory: '150Mi' },
    });
  });
});

describe('by manifests', () => {
  test('apply, wait, edit, restart, stop, delete: kubectl and kstatus read what the contract says, and nothing else is touched', async () => {
    await world.cluster.kubectl(['create', 'configmap', 'bystander', '-n', 'workbenches']);
    await apply('genome', {});
    // Before it is up: whatever moment this is, it is on its way.
    expect(['InProgress', 'Current']).toContain(await kstatus('genome'));
    await kubectl(['wait', 'wb', 'genome', '--for=condition=Ready', '--timeout=120s']);
    const url = `${world.cluster.ingressUrl}/project/genome`;
    expect(await open(url)).toMatchObject({ status: 200, id: 'genome' });
    expect(await kubectl(['get', 'workbenches', 'genome', '--no-headers'])).toMatch(
      new RegExp(`^genome\\s+alice\\s+Running\\s+${url}\\s+\\d+s\\s*$`),
    );
    expect(await kstatus('genome')).toBe('Current');

    const digest = await world.push('v5');
    await apply('genome', { image: `${world.cluster.registry}/workbench@${digest}` });
    await kubectl(['wait', 'wb', 'genome', '--for=condition=RestartRequired', '--timeout=120s']);
    expect([(await read('genome')).status!.phase, await kstatus('genome')]).toEqual(['Running', 'Current']);
    await apply('genome', { image: `${world.cluster.registry}/workbench@${digest}`, run: '2' });
    await kubectl(['wait', 'wb', 'genome', '--for=jsonpath={.status.run}=2', '--timeout=120s']);
    await kubectl(['wait', 'wb', 'genome', '--for=condition=Ready', '--timeout=120s']);
    expect(await open(url)).toMatchObject({ status: 200, version: 'v5' });

    await apply('genome', { state: 'Stopped', run: '2' });
    await kubectl(['wait', 'wb', 'genome', '--for=jsonpath={.status.phase}=Stopped', '--timeout=120s']);
    expect(await kstatus('genome')).toBe('Current');
    expect(await kubectl(['get', 'pods,ingresses', '-l', 'workbench.h1st.ai/id=genome', '-o', 'name'])).toBe('');

    await apply('genome', { state: 'Running', run: '2' });
    await kubectl(['wait', 'wb', 'genome', '--for=condition=Ready', '--timeout=120s']);
    await kubectl(['delete', 'wb', 'genome']);
    const left = () => kubectl(['get', 'pods,services,ingresses', '-l', 'workbench.h1st.ai/id=genome', '-o', 'name']);
    await eventually('collected', left, (names) => names === '');
    expect(await world.cluster.kubectl(['get', 'configmap', 'bystander', '-n', 'workbenches', '-o', 'name'])).toContain(
      'bystander',
    );
  });

  test('with `a` running and `ab` stopped, /project/ab shows the page and never `a`', async () => {
    await apply('a', {});
    await apply('ab', { state: 'Stopped' });
    await kubectl(['wait', 'wb', 'a', '--for=condition=Ready', '--timeout=120s']);
    const base = `${world.cluster.ingressUrl}/project`;
    expect(await open(`${base}/a`)).toMatchObject({ status: 200, id: 'a' });
    expect(await open(`${base}/a/version`)).toMatchObject({ status: 200, id: 'a' });
    for (const path of ['/ab', '/ab/', '/ab/version']) {
      expect([path, await open(base + path)]).toEqual([
        path,
        expect.objectContaining({ status: 503, state: 'stopped', id: null }),
      ]);
    }
    for (const path of ['', '/', '/nobody', '/nobody/x', '/a-b', '/A']) {
      expect([path, await open(base + path)]).toEqual([
        path,
        expect.objectContaining({ status: 503, state: 'unknown', retryAfter: '2' }),
      ]);
    }
  });
});

describe('what goes wrong on a real node', () => {
  const failing = (spec: object, reason: string) => async () => {
    const name = `bad-${reason.toLowerCase().slice(0, 20)}`;
    await apply(name, spec);
    const failed = await eventually(
      reason,
      () => read(name),
      ({ status }) => status?.phase === 'Failed' && status.reason === reason,
    );
    expect(await kstatus(name)).toBe('Failed');
    const told = () => kubectl(['events', '--for', `workbench/${name}`]);
    const isTold = new RegExp(`Warning +Failed +Workbench/${name} +${reason}: `);
    const story = await eventually('told', told, (text) => isTold.test(text));
    await kubectl(['patch', 'wb', name, '--type=merge', '-p', '{"spec":{"state":"Stopped"}}']);
    await kubectl(['wait', 'wb', name, '--for=jsonpath={.status.phase}=Stopped', '--timeout=120s']);
    await kubectl(['delete', 'wb', name]);
    return { message: failed.status!.message!, story };
  };

  test('a tag that is not in the registry', async () => {
    const image = `${world.cluster.registry}/workbench:nope`;
    const { message, story } = await failing({ image }, 'ImagePullBackOff')();
    expect(message).toMatch(/workbench:nope" could not be pulled: .*not found/);
    expect(story).toMatch(/Scheduled on node \S+\.\n[^]*ImagePullBackOff/);
  });

  test('a size that no node has', async () => {
    const { message, story } = await failing({ resources: { memory: '2Ti' } }, 'Unschedulable')();
    expect(message).toMatch(/0\/1 nodes are available: 1 Insufficient memory\.$/);
    expect(story).not.toContain('Scheduled');
  });

  test('a process that ends by itself, with an error and without', async () => {
    const { workbench_id: id, public_endpoint: url } = await alice.create();
    await alice.until(id, 'running');
    await fetch(`${url}/exit?code=3`, { method: 'POST' }).catch(() => undefined);
    const crashed = () => alice.get(id);
    // The kubelet restarts it at once the first time, and backs off from the second.
    await eventually(
      'running again',
      crashed,
      ({ status, status_reason: reason }) => status === 'running' || reason === 'CrashLoopBackOff',
    );
    await alice.stop(id);
    await alice.until(id, 'stopped');
  });
});
