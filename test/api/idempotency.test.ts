/** A POST that is sent again makes one workbench, at whichever replica it comes. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { client } from '../client.ts';
import type { Answer } from '../client.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';

let cluster: Cluster;
let replicas: Installation[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  // One that a user may have, so that whoever made a second would be refused.
  const env = { WB_USER_WORKBENCHES: '1' };
  replicas = [await install(cluster, { env: { ...env, POD_NAME: 'a' } })];
  replicas.push(await install(cluster, { env: { ...env, POD_NAME: 'b' }, hasKind: true }));
});

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.end('SIGKILL')));
  await cluster?.stop();
});

const post = (user: string, key: string, body?: unknown, at = 0): Promise<Answer> =>
  client(replicas[at]!.rest, user).call('POST', '', body, { headers: { 'idempotency-key': key } });
const answered = ({ status, body }: Answer) => [status, body.item?.workbench_id ?? body.error?.reason];
const namesOf = async (user: string) => {
  const selector = `spec.owner=${user}`;
  const names = await cluster.kubectl(['get', 'wb', '-n', 'workbenches', '--field-selector', selector, '-o', 'name']);
  return names.trim().split('\n').filter(Boolean);
};

test('twenty at once at two replicas are all answered with the one workbench that they make', async () => {
  const body = { workbench_name: 'Genome lab', requested_cpu: 1 };
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => post('alice', 'order-1', body, i % 2)));
  const { workbench_id: id } = answers[0]!.body.item!;
  expect(id).toMatch(/^wb-[a-z2-7]{20}$/);
  expect(answers.map(answered)).toEqual(Array(20).fill([201, id]));
  expect(await namesOf('alice')).toEqual([`workbench.workbench.h1st.ai/${id}`]);
});

test('it holds after a restart, for what is written otherwise, and after an edit; another body conflicts', async () => {
  const alice = client(replicas[0]!.rest, 'alice');
  const { workbench_id: id } = (await alice.call('GET')).body.items![0]!;
  await replicas[1]!.end();
  await replicas[1]!.start();
  await alice.call('PATCH', `/${id}`, { workbench_name: 'Another name' });
  const again = { requested_cpu: '1', workbench_name: 'Genome lab' };
  expect(answered(await post('alice', 'order-1', again, 1))).toEqual([201, id]);
  for (const at of [0, 1])
    expect(answered(await post('alice', 'order-1', { workbench_name: 'x' }, at))).toEqual([409, 'IdempotencyConflict']);
  // Another key is another request, and one too many.
  expect(answered(await post('alice', 'order-2', again))).toEqual([403, 'UserLimit']);
});

test("a key is its user's own", async () => {
  const { body } = await post('bob', 'order-1', { workbench_name: 'Genome lab', requested_cpu: 1 });
  expect(body.item).toMatchObject({ user_id: 'bob' });
  expect(await namesOf('bob')).toHaveLength(1);
  expect(await namesOf('alice')).not.toEqual(await namesOf('bob'));
});

test('while the workbench is being deleted the answer is still that one, as stopping; after that the key makes a new one', async () => {
  const carol = client(replicas[0]!.rest, 'carol');
  const first = (await post('carol', 'k')).body.item!;
  const { workbench_id: id } = first;
  const finalizers = (value: string[] | null) =>
    cluster.kubectl([
      'patch',
      'wb',
      id,
      '-n',
      'workbenches',
      '--type=merge',
      '-p',
      JSON.stringify({ metadata: { finalizers: value } }),
    ]);
  // Held, so that the test can look.
  await finalizers(['test.example/hold']);
  await carol.call('DELETE', `/${id}`);
  for (const at of [0, 1]) {
    const { status, body } = await post('carol', 'k', undefined, at);
    expect([status, body.item]).toMatchObject([201, { workbench_id: id }]);
  }
  expect((await post('carol', 'k')).body.item).toMatchObject({ status: 'stopping' });
  await finalizers(null);
  await carol.untilGone(id);
  await cluster
    .kubectl(['wait', 'wb', id, '-n', 'workbenches', '--for=delete', '--timeout=30s'])
    .catch(() => undefined);
  const next = (await post('carol', 'k')).body.item!;
  expect(next).toMatchObject({ workbench_id: id });
  expect(await carol.until(id, 'running')).toMatchObject({ workbench_id: id });
});

test.each([
  ['one that is too long', 'x'.repeat(256)],
  ['an empty one', ''],
])('%s is refused', async (_what, key) => {
  expect(answered(await post('dave', key))).toEqual([400, 'Invalid']);
  expect(await namesOf('dave')).toEqual([]);
});
