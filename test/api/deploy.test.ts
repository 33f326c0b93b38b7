/** Installing and uninstalling by the scripts and manifests of deploy/, on a real API server; the controller's Pod is simulated. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated' });
});

afterAll(async () => {
  await cluster?.stop();
});

const IMAGE = { IMAGE_NAME: 'registry.example:5000/ops/workbench-controller', IMAGE_TAG: 'v7' };

async function script(name: string, env: Record<string, string> = {}, args: string[] = []) {
  // kubectl keeps a cache in the home.
  const all = {
    PATH: process.env.PATH,
    HOME: cluster.dir,
    KUBECTL: cluster.binary('kubectl'),
    KUBECONFIG: cluster.kubeconfig,
    ...env,
  };
  return promisify(execFile)(`./${name}`, args, { env: all, timeout: 120_000 });
}

test('a dry run prints every object with the image that was named, and changes nothing', async () => {
  const { stdout } = await script('deploy.sh', { ...IMAGE, DRY_RUN: 'yes' });
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as { kind: string });
  const kinds = objects.map(({ kind }) => kind).toSorted();
  expect(kinds).toEqual([
    'ConfigMap',
    'CustomResourceDefinition',
    'CustomResourceDefinition',
    'Deployment',
    'Namespace',
    'Namespace',
    'NetworkPolicy',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Role',
    'Role',
    'RoleBinding',
    'RoleBinding',
    'Service',
    'ServiceAccount',
  ]);
  expect(stdout).toContain('image: registry.example:5000/ops/workbench-controller:v7\n');
  await expect(cluster.kubectl(['get', 'namespace', 'workbench-system'])).rejects.toThrow(/not found/);
});

test('nothing in it reaches beyond its two namespaces: no ClusterRole, no Secret, no wildcard', async () => {
  const { stdout } = await script('deploy.sh', { DRY_RUN: 'yes' });
  expect(stdout).not.toMatch(/ClusterRole|secrets|'\*'|"\*"/);
});

test('deploy.sh installs, waits until the controller is up, and may be run again', async () => {
  const first = await script('deploy.sh', IMAGE);
  expect(first.stdout).toMatch(/successfully rolled out/);
  // Pod Security would warn here about anything that the restricted profile refuses.
  expect(first.stderr).not.toMatch(/Warning/);
  const again = await script('deploy.sh', IMAGE);
  // kubectl says so of every PodDisruptionBudget: its selector is patched as a whole.
  const others = again.stdout.replace('poddisruptionbudget.policy/workbench-controller configured', '');
  expect(others).not.toMatch(/configured|created/);
  // Perhaps another image was pushed under the tag.
  expect(again.stdout).toMatch(/workbench-controller restarted\n(.*\n)*.*successfully rolled out/);
});

test('the sample is taken, and an uninstall leaves it, its namespace and the kind alone', async () => {
  await cluster.kubectl(['apply', '-n', 'workbenches', '-f', 'deploy/sample.yaml']);
  await cluster.kubectl(['delete', '-k', 'deploy/controller']);
  expect(await cluster.kubectl(['get', 'wb', '-n', 'workbenches', '-o', 'name'])).toContain('/genome');
  const roles = await cluster.kubectl(['get', 'roles,rolebindings', '-n', 'workbenches', '-o', 'name']);
  expect(roles).toBe('');
});

test.each([
  ['deploy.sh', { DRY_RUN: 'true' }, /DRY_RUN is yes or no, not "true"/],
  ['build.sh', { PUSH: 'true' }, /PUSH is yes or no, not "true"/],
  ['deploy.sh', { IMAGE_NAME: 'lab:v1', DRY_RUN: 'yes' }, /IMAGE_NAME is a name without a tag or digest/],
  ['build.sh', { IMAGE_NAME: 'a b', DRY_RUN: 'yes' }, /IMAGE_NAME is a name/],
  ['deploy.sh', { IMAGE_TAG: 'v1&', DRY_RUN: 'yes' }, /IMAGE_TAG is a tag such as v1/],
])('%s guesses nothing: %o', async (name, env, why) => {
  await expect(script(name, env)).rejects.toThrow(why);
});

test('the scripts explain themselves, refuse what they do not know, and can say what they would do', async () => {
  for (const name of ['build.sh', 'deploy.sh']) {
    expect((await script(name, {}, ['--help'])).stdout).toContain(`./${name}`);
    await expect(script(name, {}, ['--pish'])).rejects.toThrow(/There is no argument "--pish"/);
  }
  const { stdout } = await script('build.sh', {
    ...IMAGE,
    BUILDER: 'podman',
    PUSH: 'yes',
    BASE_IMAGE: 'base:1',
    DRY_RUN: 'yes',
  });
  expect(stdout).toBe(
    '+ podman build --build-arg BASE_IMAGE=base:1 -f ./Dockerfile -t registry.example:5000/ops/workbench-controller:v7 .\n' +
      '+ podman push registry.example:5000/ops/workbench-controller:v7\n',
  );
});
