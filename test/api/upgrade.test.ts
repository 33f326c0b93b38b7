/** From the version before classes to this one, on a real control plane: what runs goes on, and nobody writes without need. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { startCluster } from '../cluster/cluster.ts';
import type { AuditEntry, Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import { CONTROLLER_USER, install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { untilActing } from '../lease.ts';
import { manifest } from '../manifest.ts';
import { earlierVersion } from '../upgrade/earlier.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';
import { API_VERSION } from '../../src/workbench/resource.ts';

let cluster: Cluster;
let earlier: Installation;
let later: Installation;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated' });
  earlier = await install(cluster, { ...earlierVersion(cluster.dir), env: { POD_NAME: 'earlier' } });
});

afterAll(async () => {
  await earlier?.end('SIGKILL');
  await later?.end();
  await cluster?.stop();
});

const kubectl = (args: string[], input?: string) => cluster.kubectl([...args, '-n', 'workbenches'], input);
const children = async () =>
  (JSON.parse(await kubectl(['get', 'wb,pods,services,ingresses', '-o', 'json'])) as { items: KubeObject[] }).items;
const identities = async () => (await children()).map(({ kind, metadata: { name, uid } }) => `${kind} ${name} ${uid}`);
const audit = () => cluster.audit(CONTROLLER_USER);
/** Of what is a workbench's; the page has another port here, since both programs are on one host. */
const isWrite = ({ verb, namespace }: AuditEntry) =>
  ['create', 'update', 'patch', 'delete'].includes(verb) && namespace === 'workbenches';

test('an upgrade leaves every Pod the same Pod, writes nothing, and what it brings can be used at once', async () => {
  const before = client(earlier.rest, 'alice');
  const byHand = manifest('by-hand', { resources: { cpu: 1 }, env: [{ name: 'A', value: '1' }] });
  await kubectl(['apply', '-f', '-'], byHand);
  const made = await Promise.all([before.create(), before.create({ requested_cpu: '2' }), before.create()]);
  const [, , stopped] = made.map((item) => item.workbench_id);
  for (const { workbench_id: id } of made) await before.until(id, 'running');
  await before.until('by-hand', 'running');
  await before.stop(stopped!);
  await before.until(stopped!, 'stopped');
  const there = await identities();
  const seen = (await audit()).length;

  // As ./deploy.sh and a rolling update do it: kinds and Roles first, then the new program beside the old one.
  later = await install(cluster, { env: { POD_NAME: 'later' } });
  expect(await earlier.end()).toBe(0);
  await untilActing(later);

  const after = client(later.rest, 'alice');
  expect((await after.call('GET')).body.items!.map(({ status }) => status).toSorted()).toEqual([
    'running',
    'running',
    'running',
    'stopped',
  ]);
  const { workbench_id: another } = await after.create();
  await after.until(another, 'running');
  expect(await identities()).toEqual(expect.arrayContaining(there));
  const needless = (await audit())
    .slice(seen)
    .filter(isWrite)
    .filter(({ name }) => !name?.startsWith(another));
  expect(needless.filter(({ verb, resource }) => !(verb === 'create' && resource === 'workbenches'))).toEqual([]);
  for (const item of (await after.call('GET')).body.items!) expect(item).not.toHaveProperty('restart_required');

  await kubectl(
    ['apply', '-f', '-'],
    stringify({ apiVersion: API_VERSION, kind: 'WorkbenchClass', metadata: { name: 'new' }, spec: {} }),
  );
  expect((await after.call('PATCH', '/by-hand', { class: 'new' })).body.item).toMatchObject({
    class: 'new',
    status: 'running',
    restart_required: true,
  });
});
