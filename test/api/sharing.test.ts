/** Sharing on a real API server, with two replicas: given at one, it holds at the other, and taken back as fast. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Answer, Client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { manifest } from '../manifest.ts';
import { tcpProxy } from '../tcp-proxy.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import type { Workbench } from '../../src/workbench/resource.ts';

let cluster: Cluster;
let proxy: TcpProxy;
const replicas: Installation[] = [];
/** A user at each of the two replicas. */
const both = (user: string): [Client, Client] => [client(replicas[0]!.rest, user), client(replicas[1]!.rest, user)];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  proxy = await tcpProxy(cluster.server);
  replicas.push(await install(cluster, { env: { POD_NAME: 'replica-a' } }));
  replicas.push(await install(cluster, { env: { POD_NAME: 'replica-b' }, server: proxy.url }));
});

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.end('SIGKILL')));
  await proxy?.close();
  await cluster?.stop();
});

const kubectl = (args: string[], input?: string) => cluster.kubectl([...args, '-n', 'workbenches'], input);
const read = async (id: string) => JSON.parse(await kubectl(['get', 'wb', id, '-o', 'json'])) as Workbench;
const podsOf = (id: string) =>
  kubectl(['get', 'pods', '-l', `workbench.h1st.ai/id=${id}`, '-o', 'jsonpath={.items[*].metadata.uid}']);

const share = (of: Client, id: string, user: string, permission: string | null) =>
  of.call('POST', `/${id}/shares`, { user_id: user, permission });

async function shareWith(of: Client, id: string, user: string, permission: string | null): Promise<unknown> {
  const { status, body } = await share(of, id, user, permission);
  expect([status, body.success]).toEqual([200, true]);
  return body.items;
}

const ids = ({ body }: Answer) => body.items!.map(({ workbench_id: id }) => id);
const listed = (of: Client, id: string, is: boolean) =>
  eventually(
    is ? 'listed' : 'no longer listed',
    () => of.call('GET'),
    (answer) => ids(answer).includes(id) === is,
  );

/** Everything that a client can see of an answer, but the id of the request. */
const seenOf = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init);
  const headers = [...response.headers].filter(([name]) => !['x-request-id', 'date'].includes(name));
  return { status: response.status, headers, text: await response.text() };
};

test('what is shared at one replica is listed and seen at the other, and taken back there is as if it had never been', async () => {
  const [alice] = both('alice');
  const [, bob] = both('bob');
  const { workbench_id: id } = await alice.create({ workbench_name: 'Genome lab' });
  await alice.until(id, 'running');
  const strange = await seenOf(`${replicas[1]!.rest}/workbenches/${id}?user_id=bob`);
  expect(strange.status).toBe(404);
  const nothing = await seenOf(`${replicas[1]!.rest}/workbenches/wb-nothere?user_id=bob`);
  expect(nothing.text.replace('wb-nothere', id)).toBe(strange.text);

  expect(await shareWith(alice, id, 'bob', 'read')).toEqual([{ user_id: 'bob', permission: 'read' }]);
  await listed(bob, id, true);
  expect(await bob.get(id)).toEqual({ ...(await alice.get(id)), permission: 'read' });
  expect(await bob.get(id)).toMatchObject({ user_id: 'alice', status: 'running' });
  expect(await alice.get(id)).not.toHaveProperty('permission');
  expect((await both('carol')[1].call('GET')).body.items).toEqual([]);

  expect(await shareWith(alice, id, 'bob', null)).toEqual([]);
  await listed(bob, id, false);
  expect(await seenOf(`${replicas[1]!.rest}/workbenches/${id}?user_id=bob`)).toEqual(strange);
  for (const [method, path] of [
    ['POST', `/${id}/start`],
    ['POST', `/${id}/stop`],
    ['PATCH', `/${id}`],
    ['DELETE', `/${id}`],
    ['GET', `/${id}/shares`],
  ] as const) {
    const answer = await seenOf(`${replicas[1]!.rest}/workbenches${path}?user_id=bob`, { method });
    expect([method, path, answer.status, answer.text]).toEqual([method, path, 404, strange.text]);
  }
});

test('a reader may look, who has read-write may start and stop, and the rest is the owner’s; nothing of it restarts the Pod', async () => {
  const [alice] = both('alice');
  const [, bob] = both('bob');
  const { workbench_id: id } = await alice.create();
  await alice.until(id, 'running');
  const pods = await podsOf(id);
  await shareWith(alice, id, 'bob', 'read');
  await listed(bob, id, true);

  const owners = [
    ['PATCH', `/${id}`, { workbench_name: 'mine' }],
    ['DELETE', `/${id}`, undefined],
    ['GET', `/${id}/shares`, undefined],
    ['POST', `/${id}/shares`, { user_id: 'carol', permission: 'read' }],
    ['POST', `/${id}/shares`, { user_id: 'bob', permission: 'read-write' }],
  ] as const;
  const refusals = async () =>
    Promise.all(
      owners.map(async ([method, path, body]) => {
        const answer = await bob.call(method, path, body);
        return [answer.status, answer.body.error?.reason];
      }),
    );
  const notOwner = Array(owners.length).fill([403, 'NotOwner']) as unknown[];
  expect(await refusals()).toEqual(notOwner);
  for (const action of ['start', 'stop']) {
    expect(await bob.call('POST', `/${id}/${action}`)).toMatchObject({
      status: 403,
      body: { error: { reason: 'ReadOnly', message: expect.stringMatching(/read-write/) } },
    });
  }
  expect(await podsOf(id)).toBe(pods);

  await shareWith(alice, id, 'bob', 'read-write');
  // The other replica may not have heard of it yet: it looks live before it refuses.
  await bob.stop(id);
  await bob.until(id, 'stopped');
  await bob.start(id);
  expect(await bob.until(id, 'running')).toMatchObject({ user_id: 'alice', permission: 'read-write' });
  expect(await refusals()).toEqual(notOwner);
  expect(await alice.get(id)).not.toHaveProperty('restart_required');
  expect((await read(id)).spec.shares).toEqual([{ user: 'bob', permission: 'read-write' }]);
});

test('of twenty shares at once, and then of as many changes, by two replicas, none is lost', async () => {
  const owners = both('alice');
  const { workbench_id: id } = await owners[0].create();
  await owners[1].get(id);
  const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);
  const all = (permission: (index: number) => string | null) =>
    Promise.all(users.map((user, index) => share(owners[index % 2 ? 1 : 0], id, user, permission(index))));
  const statuses = async (permission: (index: number) => string | null) =>
    (await all(permission)).map(({ status }) => status);

  expect(await statuses((index) => (index % 3 ? 'read' : 'read-write'))).toEqual(Array(20).fill(200));
  const { shares } = (await read(id)).spec;
  expect(shares!.map(({ user }) => user).toSorted()).toEqual(users.toSorted());
  expect(shares!.filter(({ permission }) => permission === 'read-write')).toHaveLength(7);

  expect(await statuses((index) => (index < 10 ? null : 'read'))).toEqual(Array(20).fill(200));
  const left = (await read(id)).spec.shares!;
  expect(left.map(({ user }) => user).toSorted()).toEqual(users.slice(10).toSorted());
  expect(new Set(left.map(({ permission }) => permission))).toEqual(new Set(['read']));
  // Both for the same user: one of the two is what holds, and both are answered.
  expect(await Promise.all(owners.map(async (owner) => (await share(owner, id, 'twice', 'read')).status))).toEqual([
    200, 200,
  ]);
  expect((await read(id)).spec.shares!.filter(({ user }) => user === 'twice')).toHaveLength(1);
});

describe('what is no share', () => {
  let id: string;
  beforeAll(async () => {
    ({ workbench_id: id } = await both('alice')[0].create());
  });

  test.each<[what: string, body: unknown, message: RegExp]>([
    ['nothing', undefined, /^user_id: /],
    ['a list', [], /must be a JSON object/],
    ['without a permission', { user_id: 'bob' }, /^permission: /],
    ['without a user', { permission: 'read' }, /^user_id: /],
    ['of another permission', { user_id: 'bob', permission: 'admin' }, /^permission: /],
    ['of an empty name', { user_id: '', permission: 'read' }, /^user_id: must be printable text/],
    ['of a name with a line break', { user_id: 'a\nb', permission: 'read' }, /^user_id: must be printable text/],
    ['of a name that is too long', { user_id: 'x'.repeat(254), permission: 'read' }, /^user_id: /],
    ['of half a character', { user_id: '\ud83d', permission: 'read' }, /^user_id: /],
    ['of a number', { user_id: 7, permission: 'read' }, /^user_id: /],
    ['with more in it', { user_id: 'bob', permission: 'read', admin: true }, /Unknown field "admin"/],
    ['with a prototype', JSON.parse('{"__proto__":{"user_id":"bob"},"permission":"read"}'), /__proto__/],
    ['of the owner', { user_id: 'alice', permission: 'read' }, /the owner/],
  ])('%s is 400', async (_what, body, message) => {
    const answer = await both('alice')[0].call('POST', `/${id}/shares`, body);
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { reason: 'Invalid', message: expect.stringMatching(message) } },
    });
  });

  test('to take back what was never given is done at once', async () => {
    expect(await shareWith(both('alice')[0], id, 'nobody', null)).toEqual([]);
    expect(await shareWith(both('alice')[0], id, 'alice', null)).toEqual([]);
  });

  test.each([
    '__proto__',
    'constructor',
    'a/b?c#d',
    '"><script>&amp;\\',
    '\u{1F680}'.repeat(20),
    '../shares',
    'ä',
    ' ',
  ])('the name %j is one like any other, of a recipient and of an owner', async (user) => {
    const [alice] = both('alice');
    await shareWith(alice, id, user, 'read');
    const [, recipient] = both(user);
    await listed(recipient, id, true);
    expect((await recipient.get(id)).permission).toBe('read');
    await shareWith(alice, id, user, 'read-write');
    await recipient.stop(id);
    await shareWith(alice, id, user, null);
    await listed(recipient, id, false);
    const own = await recipient.create();
    await shareWith(recipient, own.workbench_id, 'alice', 'read');
    expect((await recipient.call('PATCH', `/${own.workbench_id}`, { workbench_name: 'x' })).status).toBe(200);
    expect((await recipient.call('DELETE', `/${own.workbench_id}`)).status).toBe(200);
  });

  test('more than a hundred are refused, by the API server too', async () => {
    const [alice] = both('alice');
    const shares = Array.from({ length: 101 }, (_, index) => ({ user: `user-${index}`, permission: 'read' }));
    await expect(kubectl(['apply', '-f', '-'], manifest('crowd', { shares }))).rejects.toThrow(/at most 100 items/);
    await kubectl(['apply', '-f', '-'], manifest('crowd', { shares: shares.slice(1) }));
    expect(await share(alice, 'crowd', 'one-more', 'read')).toMatchObject({
      status: 409,
      body: { error: { reason: 'TooManyShares' } },
    });
    await shareWith(alice, 'crowd', 'user-1', 'read-write');
    await shareWith(alice, 'crowd', 'user-2', null);
    await shareWith(alice, 'crowd', 'one-more', 'read');
    await kubectl(['delete', 'wb', 'crowd']);
  });
});

test('what two owners share, by manifest or by REST, is in one list with one’s own, in the order of birth', async () => {
  const [, erin] = both('erin');
  const [frank] = both('frank');
  const own = await erin.create();
  const shares = [{ user: 'erin', permission: 'read-write' }];
  await kubectl(['apply', '-f', '-'], manifest('applied', { owner: 'grace', shares }));
  await listed(erin, 'applied', true);
  const third = await frank.create();
  await shareWith(frank, third.workbench_id, 'erin', 'read');
  const answer = await listed(erin, third.workbench_id, true);
  const all = answer.body.items!.map((item) => [item.workbench_id, { owner: item.user_id, may: item.permission }]);
  expect(Object.fromEntries(all)).toEqual({
    [own.workbench_id]: { owner: 'erin' },
    applied: { owner: 'grace', may: 'read-write' },
    [third.workbench_id]: { owner: 'frank', may: 'read' },
  });
  const births = answer.body.items!.map(({ created_at }) => String(created_at));
  expect(births).toEqual(births.toSorted());

  await expect(
    kubectl(['apply', '-f', '-'], manifest('applied', { owner: 'grace', shares: [...shares, ...shares] })),
  ).rejects.toThrow(/Duplicate value/);
  for (const wrong of [{ user: 'erin' }, { user: '', permission: 'read' }, { user: 'x', permission: 'write' }])
    await expect(
      kubectl(['apply', '-f', '-'], manifest('applied', { owner: 'grace', shares: [wrong] })),
    ).rejects.toThrow(/invalid/i);
  await kubectl(['apply', '-f', '-'], manifest('applied', { owner: 'grace' }));
  await listed(erin, 'applied', false);
});

test('without an identity provider nobody can give a workbench away', async () => {
  const [alice] = both('alice');
  const { workbench_id: id } = await alice.create();
  for (const user of [alice, both('bob')[0]])
    expect(await user.call('PATCH', `/${id}`, { user_id: 'bob' })).toMatchObject({
      status: 403,
      body: { error: { reason: 'AdminOnly' } },
    });
  expect((await alice.get(id)).user_id).toBe('alice');
});

test('a replica that is cut off answers an owner from what it knows, and a recipient not before it knows that it is still shared', async () => {
  const [alice, aliceThere] = both('alice');
  const [, bob] = both('bob');
  const { workbench_id: id } = await alice.create();
  await shareWith(alice, id, 'bob', 'read');
  await listed(bob, id, true);
  proxy.refuse();
  try {
    await shareWith(alice, id, 'bob', null);
    const cutOff = await eventually(
      'aware that it is cut off',
      () => bob.call('GET', `/${id}`),
      ({ status }) => status === 503,
    );
    expect(cutOff.headers.get('retry-after')).not.toBeNull();
    expect((await bob.call('GET')).status).toBe(503);
    expect((await aliceThere.get(id)).workbench_id).toBe(id);
  } finally {
    proxy.accept();
  }
  await eventually(
    'taken back',
    () => bob.call('GET', `/${id}`),
    ({ status }) => status === 404,
  );
  await listed(bob, id, false);
});
