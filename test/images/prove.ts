/**
 * Shows that the images work without a cluster: `node test/images/prove.ts`, as root, with docker-registry installed.
 * It pushes to a registry of its own, pulls the layers back, and runs the workbench from them under chroot.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { MANIFEST_TYPE } from './manifest.ts';
import { pushPause, pushWorkbenchImage } from './push.ts';

interface Manifest {
  config: { digest: string };
  layers: { digest: string; size: number }[];
}

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'images-prove-'));
const started: ChildProcess[] = [];
try {
  const registry = await startRegistry();
  await provePushes(registry);
  const root = await extract(registry);
  await proveWorkbench(root);
  await proveExit(root);
} finally {
  for (const child of started) await end(child);
  await rm(folder, { recursive: true, force: true });
}

async function startRegistry(): Promise<string> {
  const address = `127.0.0.1:${await findFreePort()}`;
  const config = join(folder, 'registry.yml');
  const storage = { filesystem: { rootdirectory: join(folder, 'registry') }, delete: { enabled: true } };
  await writeFile(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage,
      http: { addr: address },
    }),
  );
  // Mute, for it calls every blob it is asked for and lacks an error.
  start('docker-registry', ['serve', config], process.env, 'ignore');
  await waitFor(`http://${address}/v2/`);
  return address;
}

async function provePushes(registry: string): Promise<void> {
  const first = await timed('push v1', () => pushWorkbenchImage({ registry, version: 'v1' }));
  assert.equal(first.image, `${registry}/workbench:latest`);
  assert.equal((await fetchManifest(registry, 'workbench', 'latest')).digest, first.digest);

  const second = await timed('push v2', () => pushWorkbenchImage({ registry, version: 'v2' }));
  const moved = await fetchManifest(registry, 'workbench', 'latest');
  assert.notEqual(second.digest, first.digest);
  assert.equal(moved.digest, second.digest, 'the tag points at v2');
  const kept = await fetchManifest(registry, 'workbench', first.digest);
  assert.equal(kept.digest, first.digest, 'v1 stays within reach by its digest');
  assert.deepEqual(kept.manifest.layers[0], moved.manifest.layers[0], 'both stand on the same base layer');
  console.log('layers', moved.manifest.layers);

  const again = await timed('push v2 again', () => pushWorkbenchImage({ registry, version: 'v2' }));
  assert.equal(again.digest, second.digest, 'the same image has the same digest');

  const other = {
    registry,
    repository: 'team/other',
    version: 'v3',
    tag: 'x',
    env: { COLOUR: 'red' },
    command: ['/no'],
  };
  const third = await timed('push to another repository', () => pushWorkbenchImage(other));
  const borrowed = await fetchManifest(registry, 'team/other', 'x');
  assert.equal(third.image, `${registry}/team/other:x`);
  assert.deepEqual(borrowed.manifest.layers[0], moved.manifest.layers[0]);
  const described = JSON.parse((await fetchBlob(registry, 'team/other', borrowed.manifest.config.digest)).toString());
  assert.deepEqual(described.config.Entrypoint, ['/no']);
  assert.ok(described.config.Env.includes('COLOUR=red'));

  assert.equal(await pushPause(registry, '/bin/true'), `${registry}/pause:latest`);
  const pause = await fetchManifest(registry, 'pause', 'latest');
  assert.equal(pause.manifest.layers.length, 1);
}

/** Unpacks the layers of workbench:latest as a container runtime would, checking each against its names. */
async function extract(registry: string): Promise<string> {
  const root = join(folder, 'root');
  await mkdir(root);
  const { manifest } = await fetchManifest(registry, 'workbench', 'latest');
  const config = JSON.parse((await fetchBlob(registry, 'workbench', manifest.config.digest)).toString());
  for (const [index, { digest, size }] of manifest.layers.entries()) {
    const bytes = await fetchBlob(registry, 'workbench', digest);
    assert.equal(bytes.length, size);
    const file = join(folder, `layer-${index}.tar`);
    await writeFile(`${file}.gz`, bytes);
    await run('gzip', ['--decompress', `${file}.gz`]);
    assert.equal(sha256(await readFile(file)), config.rootfs.diff_ids[index]);
    await run('tar', ['--extract', '--preserve-permissions', '--numeric-owner', '--file', file, '--directory', root]);
  }
  return root;
}

async function proveWorkbench(root: string): Promise<void> {
  const port = await findFreePort();
  const base = `http://127.0.0.1:${port}/project/wb-abc`;
  const began = performance.now();
  const child = startWorkbench(root, { WORKBENCH_PORT: String(port), WORKBENCH_BASE_PATH: '/project/wb-abc/' });
  const page = await waitFor(base);
  console.log(
    `answered ${Math.round(performance.now() - began)} ms after its start, ${await readCpu(child)} ms of CPU`,
  );
  assert.equal(page.headers.get('x-workbench-version'), 'v2');
  assert.equal(page.headers.get('x-workbench-id'), 'wb-abc');
  assert.equal(page.headers.get('x-workbench-pod'), hostname());
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(await page.text(), /<h1>workbench<\/h1>[^]*v2[^]*wb-abc/);
  assert.equal((await fetch(`${base}/`)).status, 200);
  assert.equal(await (await fetch(`${base}/version`)).text(), 'v2');
  assert.equal((await readJson(`${base}/env`)).WORKBENCH_PORT, String(port));
  assert.equal((await readJson(`${base}/headers`, { 'x-asked': 'yes' }))['x-asked'], 'yes');

  const stray = await fetch(`http://127.0.0.1:${port}/project/wb-abcd/version`);
  assert.equal(stray.status, 404);
  assert.match(await stray.text(), /serves \/project\/wb-abc\//);

  assert.deepEqual(await readJson(`${base}/files`), []);
  assert.equal((await fetch(`${base}/files/notes.txt`, { method: 'PUT', body: 'hello' })).status, 201);
  assert.equal(await (await fetch(`${base}/files/notes.txt`)).text(), 'hello');
  assert.deepEqual(await readJson(`${base}/files`), ['notes.txt']);
  assert.equal((await fetch(`${base}/files/none`)).status, 404);
  assert.equal((await fetch(`${base}/files/..%2F..%2Fetc%2Fpasswd`)).status, 400);
  const { stdout: owner } = await run('stat', ['--format=%u', join(root, 'home/project/notes.txt')]);
  assert.equal(owner.trim(), '1000', 'the workbench runs as user 1000');

  const socket = new WebSocket(`${base.replace('http', 'ws')}/echo`);
  await once(socket, 'open');
  socket.send('over the wire');
  const [message] = await once(socket, 'message');
  assert.equal(String(message), 'over the wire');
  const lost = new WebSocket(`ws://127.0.0.1:${port}/echo`);
  const [refusal] = await once(lost, 'error');
  assert.match(String(refusal), /404/);

  assert.equal((await fetch(`${base}/eat?mb=300`, { method: 'POST' })).status, 200);
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  assert.ok(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) > 300 * 1024, 'what it ate is resident');
  assert.equal((await fetch(`${base}/eat?mb=much`, { method: 'POST' })).status, 400);

  await (await fetch(`${base}/unready?seconds=1`, { method: 'POST' })).text();
  await sleep(200);
  await assert.rejects(fetch(base), 'the listener is closed for a while');
  await sleep(1100);
  assert.equal((await fetch(base)).status, 200);

  const signalled = performance.now();
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  const took = performance.now() - signalled;
  console.log(`ended ${Math.round(took)} ms after SIGTERM with code ${String(code)}`);
  assert.equal(code, 0);
  assert.ok(took < 100);
}

async function proveExit(root: string): Promise<void> {
  const port = await findFreePort();
  const child = startWorkbench(root, { WORKBENCH_PORT: String(port) });
  const base = `http://127.0.0.1:${port}`;
  assert.equal((await waitFor(base)).status, 200, 'without a base path it serves the root');
  const exited = once(child, 'exit');
  assert.equal((await fetch(`${base}/exit?code=7`, { method: 'POST' })).status, 202);
  assert.equal((await exited)[0], 7);
}

function startWorkbench(root: string, env: Record<string, string>): ChildProcess {
  const command = ['/usr/local/bin/node', '/app/server.mjs'];
  return start('chroot', ['--userspec=1000:1000', root, ...command], { PATH: process.env['PATH'], ...env });
}

function start(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  output: 'inherit' | 'ignore' = 'inherit',
): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', output, output], env });
  started.push(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function fetchManifest(registry: string, repository: string, reference: string) {
  const url = `http://${registry}/v2/${repository}/manifests/${reference}`;
  const bytes = Buffer.from(await (await fetch(url, { headers: { accept: MANIFEST_TYPE } })).arrayBuffer());
  return { digest: sha256(bytes), manifest: JSON.parse(bytes.toString()) as Manifest };
}

async function fetchBlob(registry: string, repository: string, digest: string): Promise<Buffer> {
  const response = await fetch(`http://${registry}/v2/${repository}/blobs/${digest}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(sha256(bytes), digest);
  return bytes;
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function readJson(url: string, headers: Record<string, string> = {}) {
  return (await fetch(url, { headers })).json() as Promise<Record<string, unknown>>;
}

async function waitFor(url: string): Promise<Response> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await fetch(url);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(10);
    }
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** CPU time so far; the kernel counts it in ticks of 10 ms. */
async function readCpu(child: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function timed<T>(what: string, action: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await action();
  console.log(`${what}: ${Math.round(performance.now() - began)} ms`);
  return result;
}
