/** How much one owner may run, on a real control plane: judged by whoever acts, whatever REST has let pass. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { manifest } from '../manifest.ts';
import type { Pod } from '../../src/workbench/objects.ts';
import { API_VERSION } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';

const NAMES = Array.from({ length: 12 }, (_, index) => `lab-${String(index).padStart(2, '0')}`);

let cluster: Cluster;
let installation: Installation;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster, { env: { WB_USER_RUNNING: '3', WB_USER_CPU: '4', WB_DEFAULT_CPU: '1' } });
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
});

const kubectl = (args: string[], input?: string) => cluster.kubectl([...args, '-n', 'workbenches'], input);
const list = async <T>(kind: string) =>
  (JSON.parse(await kubectl(['get', kind, '-o', 'json'])) as { items: T[] }).items;
const phases = async (owner: string) =>
  (await list<Workbench>('wb'))
    .filter(({ spec }) => spec.owner === owner)
    .map(({ metadata: { name }, status }) => `${name} ${status?.phase} ${status?.reason ?? ''}`.trim());
const count = (found: string[], what: RegExp) => found.filter((one) => what.test(one)).length;
const settle = (owner: string, running: number, refused: number) =>
  eventually(
    'settled',
    () => phases(owner),
    (found) => count(found, / Running/) === running && count(found, / Failed UserLimit/) === refused,
  );

test('of twelve that are applied at once three run, the others say why, and whoever makes room lets another in', async () => {
  await kubectl(['apply', '-f', '-'], NAMES.map((name) => manifest(name)).join('\n---\n'));
  await settle('alice', 3, 9);
  expect(await list<Pod>('pods')).toHaveLength(3);
  const answer = await client(installation.rest, 'alice').call('POST');
  expect(answer).toMatchObject({ status: 403, body: { error: { reason: 'UserLimit' } } });
  expect(answer.body.error!.message).toBe('The owner may run 3 workbenches at once, and 12 come first.');

  const [running] = (await phases('alice')).find((one) => one.endsWith('Running'))!.split(' ');
  await client(installation.rest, 'alice').stop(running!);
  await settle('alice', 3, 8);
  expect(await list<Pod>('pods')).toHaveLength(3);
});

test('sizes are added up, and another owner has limits of its own', async () => {
  const bob = client(installation.rest, 'bob');
  const { workbench_id: large } = await bob.create({ requested_cpu: '3500m' });
  await bob.until(large, 'running');
  const refused = await bob.call('POST', '', { requested_cpu: 1 });
  expect(refused).toMatchObject({ status: 403, body: { error: { reason: 'UserLimit' } } });
  expect(refused.body.error!.message).toMatch(
    /may take 4 of cpu at once; the others take 3.5, and this one asks for 1/,
  );
  const { workbench_id: small } = await bob.create({ requested_cpu: '500m' });
  await bob.until(small, 'running');
  await bob.stop(small);
  await bob.until(small, 'stopped');
  const { workbench_id: other } = await bob.create({ requested_cpu: '500m' });
  await bob.until(other, 'running');
  expect(await bob.call('POST', `/${small}/start`)).toMatchObject({ status: 403 });
});

test('a class bounds what one owner has of it, and nothing else; whoever asks over REST hears so at once', async () => {
  const perUser = { running: 1 };
  await kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: API_VERSION, kind: 'WorkbenchClass', metadata: { name: 'rare' }, spec: { perUser } }),
  );
  const carol = client(installation.rest, 'carol');
  const names = ['rare-1', 'rare-2'];
  const manifests = names.map((name) => manifest(name, { owner: 'carol', class: 'rare' }));
  await kubectl(['apply', '-f', '-'], manifests.join('\n---\n'));
  await settle('carol', 1, 1);
  const { workbench_id: usual } = await carol.create();
  await carol.until(usual, 'running');
  await carol.stop(usual);
  await carol.until(usual, 'stopped');
  const answer = await carol.call('POST', '', { class: 'rare' });
  expect(answer).toMatchObject({ status: 403, body: { error: { reason: 'UserLimit' } } });
  expect(answer.body.error!.message).toBe(
    'The owner may run 1 workbenches of the class "rare" at once, and 2 come first.',
  );
  for (const name of names) {
    await carol.call('DELETE', `/${name}`);
    await carol.untilGone(name);
  }
  const { workbench_id: rare } = await carol.create({ class: 'rare' });
  await carol.until(rare, 'running');
});
