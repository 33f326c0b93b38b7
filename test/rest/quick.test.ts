import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { byKey, byToken, unauthorized } from '../../src/rest/auth.ts';
import type { Item } from '../../src/rest/shapes.ts';
import type { Caller } from '../../src/rest/tokens.ts';
import { eventually } from '../eventually.ts';
import { serve } from './served.ts';
import type { Served } from './served.ts';

const KEY = 'the-key-of-the-portal';
/** The same installation twice; where each request is logged none takes the short way. */
const ways: Record<'short' | 'long', Served> = {} as never;

beforeAll(async () => {
  const sink = { write: () => undefined };
  const options = { identity: byKey(KEY), urlPrefix: '/v1.0', perSecond: 3 };
  ways.short = await serve({ ...options, log: pino({ level: 'info' }, sink) });
  ways.long = await serve({ ...options, log: pino({ level: 'debug' }, sink) });
  for (const served of Object.values(ways)) {
    served.put('genome', 'Running', { displayName: 'Ä "lab"' });
    served.put('atlas', 'Pending');
    served.put('other', 'Running', { owner: 'bob' });
  }
});
afterAll(() => Promise.all(Object.values(ways).map((served) => served.close())));

const bearer = { authorization: `Bearer ${KEY}` };

/** What is answered to one and the same request, without what each answer has of its own. */
async function both(ways_: Record<'short' | 'long', Served>, path: string, headers: Record<string, string>) {
  return Promise.all(
    [ways_.short, ways_.long].map(async ({ url }) => {
      const answer = await fetch(url + path, { headers });
      const { 'x-request-id': id, date: _, ...rest } = Object.fromEntries(answer.headers);
      const isOurs = /^[0-9a-f-]{36}$/.test(id!);
      return { status: answer.status, headers: rest, id: isOurs ? 'made' : id, body: await answer.text() };
    }),
  );
}

test.each<[path: string, status: number, headers?: Record<string, string>]>([
  ['/workbenches/genome?user_id=alice', 200],
  ['/workbenches?user_id=alice', 200],
  ['/workbenches?user_id=nobody', 200],
  ['/workbenches/genome/?user_id=alice', 200],
  ['/workbenches/genome?user_id=alice', 200, { ...bearer, 'x-request-id': 'portal-42' }],
  ['/workbenches/genome?user_id=alice', 200, { ...bearer, 'x-request-id': 'not "harmless"' }],
  ['/workbenches/genome?user_id=%61lice', 200],
  ['/workbenches/genome?user_id=alice&wait=running', 200],
  ['/workbenches/other?user_id=alice', 404],
  ['/workbenches/none?user_id=alice', 404],
  ['/workbenches/genome', 400],
  ['/workbenches/genome?user_id=', 400],
  ['/workbenches/genome?user_id=alice&user_id=bob', 400],
  ['/workbenches/genome?user_id=alice', 401, {}],
  ['/workbenches/genome?user_id=alice', 401, { authorization: 'Bearer another-key-of-somebody' }],
  ['/WORKBENCHES/genome?user_id=alice', 404],
])('the short way answers as the long one does: %s, %d', async (path, status, headers = bearer) => {
  const [short, long] = await both(ways, path, headers);
  expect(short).toEqual(long);
  expect(short!.status).toBe(status);
});

test('the short way counts as the long one does', async () => {
  for (const served of Object.values(ways)) {
    const ask = async () => (await fetch(`${served.url}/workbenches/genome?user_id=alice`, { headers: bearer })).status;
    const statuses = new Set<number>();
    await eventually(
      'enough',
      async () => statuses.add(await ask()),
      (seen) => seen.has(429),
    );
    expect([...statuses]).toEqual([200, 429]);
  }
});

describe('with tokens', () => {
  const callers: Record<string, Caller> = {
    alices: { user: 'alice', isAdmin: false },
    bobs: { user: 'bob', isAdmin: false },
    eves: { user: 'eve', isAdmin: false },
    admins: { user: 'root', isAdmin: true },
  };
  const tokens: Record<'short' | 'long', Served> = {} as never;
  beforeAll(async () => {
    const identity = byToken(async (token) => {
      const caller = callers[token];
      if (!caller) throw unauthorized('The token is not valid here.', true);
      return Promise.resolve(caller);
    });
    for (const [way, level] of [
      ['short', 'info'],
      ['long', 'debug'],
    ] as const) {
      tokens[way] = await serve({ identity, log: pino({ level }, { write: () => undefined }) });
      tokens[way].put('genome', 'Running', { shares: [{ user: 'bob', permission: 'read' }] });
    }
  });
  afterAll(() => Promise.all(Object.values(tokens).map((served) => served.close())));

  const seen = { alices: 200, bobs: 200, eves: 404, admins: 404, nobodys: 401 };
  test.each(Object.entries(seen))('the short way lets in whom the long one does: %s', async (token, status) => {
    const headers = { authorization: `Bearer ${token}` };
    for (const id of ['', '/genome', '/none'])
      for (const query of ['', '?user_id=alice', '?user_id=bob', '?user_id=eve', '?user_id=root']) {
        const [short, long] = await both(tokens, `/workbenches${id}${query}`, headers);
        expect([id, query, short]).toEqual([id, query, long]);
        if (id === '/genome' && query === '') expect(short!.status).toBe(status);
      }
  });
});

test('a list is as new as the store', async () => {
  const served = await serve();
  const statuses = async () => {
    const { items } = (await (await fetch(`${served.url}/workbenches?user_id=alice`)).json()) as { items: Item[] };
    return items.map(({ workbench_id: id, status }) => `${id} ${status}`);
  };
  expect(await statuses()).toEqual([]);
  const first = served.put('a', 'Pending');
  expect(await statuses()).toEqual(['a pending']);
  served.put('a', 'Running');
  served.put('b', 'Pending');
  expect(await statuses()).toEqual(['a running', 'b pending']);
  expect(await statuses()).toEqual(['a running', 'b pending']);
  served.remove(first);
  expect(await statuses()).toEqual(['b pending']);
  await served.close();
});

test('what is shared is listed, and is not answered from memory while it may have been taken back', async () => {
  const served = await serve();
  served.put('genome', 'Running', { shares: [{ user: 'bob', permission: 'read' }] });
  const ask = async (path: string) => {
    const answer = await fetch(`${served.url}/workbenches${path}?user_id=bob`);
    const { item, items } = (await answer.json()) as { item?: Item; items?: Item[] };
    return [answer.status, (items ?? [item]).map((one) => one?.permission)];
  };
  for (let i = 0; i < 2; i += 1) {
    expect(await ask('')).toEqual([200, ['read']]);
    expect(await ask('/genome')).toEqual([200, ['read']]);
  }
  served.setCurrent(false);
  // Asked for live, where this store's API server has nothing.
  expect(await ask('')).toEqual([200, []]);
  expect(await ask('/genome')).toEqual([404, [undefined]]);
  served.setCurrent(true);
  expect(await ask('')).toEqual([200, ['read']]);
  await served.close();
});
