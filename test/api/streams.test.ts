/** Server-sent events against a real API server: many of them, at little cost, for as long as the right lasts. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { openEvents } from '../events.ts';
import type { Events, ServerEvent } from '../events.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { itemSchema } from '../../src/rest/shapes.ts';
import { scrape } from '../scrape.ts';

let cluster: Cluster;
let installation: Installation;
let alice: Client;
const opened: Events[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster);
  alice = client(installation.rest, 'alice');
});

afterAll(async () => {
  for (const events of opened) events.close();
  await installation?.end();
  await cluster?.stop();
});

async function open(id: string, { user = 'alice', last = '' } = {}): Promise<Events> {
  const headers: Record<string, string> = last === '' ? {} : { 'last-event-id': last };
  const events = await openEvents(`${installation.rest}/workbenches/${id}/events?user_id=${user}`, headers);
  opened.push(events);
  return events;
}

/** Reads on until an event of this status has come. */
async function until(events: Events, status: string): Promise<ServerEvent> {
  for (;;) {
    const event = await events.next();
    if (!event) throw new Error(`The stream ended without ${status}: ${events.text()}`);
    if (event.data.status === status) return event;
  }
}

test('a stream tells a whole life: each event is the item, no two that follow each other are alike, deleted is the last', async () => {
  const { workbench_id: id } = await alice.create();
  const events = await open(id);
  await until(events, 'running');
  await alice.stop(id);
  await until(events, 'stopped');
  await alice.call('DELETE', `/${id}`);
  const told: ServerEvent[] = [];
  for (let event = await events.next(); event; event = await events.next()) told.push(event);
  expect(told.at(-1)).toEqual({ event: 'deleted', data: { workbench_id: id } });
  const blocks = events
    .text()
    .split('\n\n')
    .filter((block) => block.startsWith('id: '));
  const seen = blocks.map((block) => block.split('\ndata: ')[1]!);
  for (const text of seen) itemSchema.parse(JSON.parse(text));
  expect(seen.filter((text, i) => text === seen[i - 1])).toEqual([]);
  expect((await open(id)).response.status).toBe(404);
});

test('the last id is good after a restart, too: nothing is told twice, and what was missed is told', async () => {
  const { workbench_id: id } = await alice.create();
  const { id: last } = await until(await open(id), 'running');
  await installation.end();
  await installation.start();
  const resumed = await open(id, { last: last! });
  const other = await open(id);
  expect(await other.next()).toMatchObject({ id: last });
  await alice.stop(id);
  // The first that comes is of the stop, and not the one that is known.
  expect((await resumed.next())?.data.status).toMatch(/^stopp/);
});

test('it ends when the workbench gets another owner, and at SIGTERM', async () => {
  const { workbench_id: id } = await alice.create();
  const { workbench_id: other } = await alice.create();
  const [events, kept] = [await open(id), await open(other)];
  await until(events, 'running');
  await until(kept, 'running');
  const patch = ['patch', 'wb', id, '-n', 'workbenches', '--type=merge', '-p', '{"spec":{"owner":"bob"}}'];
  await cluster.kubectl(patch);
  let last: ServerEvent | undefined;
  for (let event = await events.next(); event; event = await events.next()) last = event;
  expect(last).toEqual({ event: 'deleted', data: { workbench_id: id } });
  expect(events.text()).not.toContain('bob');
  const ended = installation.end();
  while (await kept.next());
  expect(await ended).toBe(0);
  await installation.start();
});

test('a thousand open streams cost less than 50 MB, and each hears of a change', async () => {
  const USERS = 10;
  const ids = await Promise.all(
    Array.from({ length: USERS }, async (_, i) => {
      const user = client(installation.rest, `user-${i}`);
      const { workbench_id: id } = await user.create();
      await user.until(id, 'running');
      return id;
    }),
  );
  const rss = async () => (await scrape(installation.health)).value('process_resident_memory_bytes')! / 1e6;
  // Whatever the first ones bring along is not what each costs.
  const first = await Promise.all(ids.map((id, i) => open(id, { user: `user-${i}` })));
  await Promise.all(first.map((events) => events.next()));
  const before = await rss();
  const many: Events[] = [];
  for (let round = 1; round < 100; round += 1)
    many.push(...(await Promise.all(ids.map((id, i) => open(id, { user: `user-${i}` })))));
  await Promise.all(many.map((events) => events.next()));
  expect(many.length + first.length).toBe(1_000);
  const after = await rss();
  process.stderr.write(`1,000 streams: ${Math.round(after - before)} MB more than ${Math.round(before)} MB\n`);
  expect(after - before).toBeLessThan(50);

  const refused = await open(ids[0]!, { user: 'user-0' });
  expect(refused.response.status).toBe(429);
  await Promise.all(ids.map((id, i) => client(installation.rest, `user-${i}`).stop(id)));
  await Promise.all(many.map((events) => until(events, 'stopped')));
  for (const events of [...many, ...first]) events.close();
});

test('a comment comes each fifteen seconds, and a stream ends with its token', async () => {
  const SECRET = 'x'.repeat(32);
  await installation.end();
  await installation.start({ RESTAPI_AUTH_JWT_KEY: SECRET });
  const sign = (forSeconds: number) =>
    new SignJWT({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + forSeconds })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(SECRET));
  const long = await sign(3_600);
  const rest = `${installation.rest}/workbenches`;
  const bearer = client(installation.rest, undefined, long);
  const item = await bearer.create();
  // Nothing happens any more while the streams are open.
  await bearer.until(item.workbench_id, 'running');
  const brief = await sign(25);
  const streams = await Promise.all(
    [brief, long].map((token) =>
      openEvents(`${rest}/${item.workbench_id}/events`, { authorization: `Bearer ${token}` }),
    ),
  );
  opened.push(...streams);
  // Ends by itself, at the first beat after its token.
  while (await streams[0]!.next());
  expect(streams[0]!.text()).toMatch(/\n\n:\n\n$/);
  await bearer.stop(item.workbench_id);
  await until(streams[1]!, 'stopped');
});
