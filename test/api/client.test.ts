/** The typed client of client/: made from the description as it is now, and its example as a user would run it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { elapsedReport } from '../cluster/run/elapsedReport.ts';
import { client } from '../client.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { keptFolder } from '../keptFolder.ts';

const FILES = ['package.json', 'package-lock.json', '.npmrc'];
const source = (file: string) => join('client', file);
const KEY = 'the-key-of-this-test';

let folder: string;
let cluster: Cluster;
let installation: Installation;

/** The client as it is, with the packages that its lockfile names. */
async function aCopy(): Promise<string> {
  const kept = await keptFolder({
    kind: 'client-packages',
    madeOf: FILES.map((file) => readFileSync(source(file))),
    async make(draft) {
      for (const file of FILES) copyFileSync(source(file), join(draft, file));
      await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--loglevel=error'], { cwd: draft });
    },
    report: elapsedReport(),
  });
  const copy = mkdtempSync(join(tmpdir(), 'workbench-client-'));
  const isOurs = (path: string) => !/[/\\](node_modules|dist)$/.test(path);
  cpSync('client', copy, { recursive: true, filter: isOurs });
  symlinkSync(join(kept, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(program: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const options = { cwd: folder, env: { ...process.env, ...env } };
  return promisify(execFile)(program, args, options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ended) => ({ code, stdout, stderr }),
  );
}

const runExample = (args: string[], env?: Record<string, string>) =>
  run(process.execPath, ['example.ts', ...args], env);

beforeAll(async () => {
  folder = await aCopy();
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster, {
    env: { WB_DEFAULT_CPU: '100m', WB_DEFAULT_RAM: '64Mi', WORKBENCH_IMAGE: 'registry.example/lab:latest' },
  });
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test('its types are those of the description as it is; "npm run client" makes them anew', async () => {
  const made = join(folder, 'made.ts');
  const generator = join(folder, 'node_modules', '.bin', 'openapi-typescript');
  expect(await run(generator, ['openapi.json', '--output', made])).toMatchObject({ code: 0 });
  const isSame = readFileSync(made).equals(readFileSync(source('src/api.ts')));
  rmSync(made);
  expect(isSame).toBe(true);
});

test('it can be built, and its example holds to its types', async () => {
  const silent = { code: 0, stdout: '', stderr: '' };
  expect(await run('npm', ['run', '--silent', 'types'])).toEqual(silent);
  expect(await run('npm', ['run', '--silent', 'build'])).toEqual(silent);
});

test('its example makes a workbench, waits for it, stops it and deletes it', async () => {
  const { code, stdout, stderr } = await runExample([installation.rest, 'alice']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [made, ...lines] = stdout.trim().split('\n');
  const [id] = made!.split(' ');
  expect(lines).toEqual([
    `It runs: http://cloud.example/project/${id}`,
    'There are: From a program, running',
    'It is stopped',
    'It is gone',
  ]);
  expect((await client(installation.rest, 'alice').call('GET')).body.items).toEqual([]);
});

test('what the API refuses is told by the example in the words of the API', async () => {
  expect(await runExample([installation.rest])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'The query parameter user_id is missing.\n',
  });
  expect(await runExample([`${installation.rest}/elsewhere`, 'alice'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no such path'),
  });
});

test('it bears a token where one is asked for', async () => {
  await installation.end();
  await installation.start({ RESTAPI_AUTH_STATIC_KEY: KEY });
  const { code, stderr } = await runExample([installation.rest, 'alice']);
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'Send a token: Authorization: Bearer ….\n' });
  const { stdout } = await runExample([installation.rest, 'alice'], { WORKBENCH_TOKEN: KEY });
  expect(stdout).toMatch(/It is gone\n$/);
});
