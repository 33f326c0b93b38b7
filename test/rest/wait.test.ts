import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Item } from '../../src/rest/shapes.ts';
import { serve } from './served.ts';
import type { Served } from './served.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served.close());

interface Answered {
  status: number;
  item?: Item;
  reason?: string;
}

async function get(
  query: string,
  { user = 'alice', signal }: { user?: string; signal?: AbortSignal } = {},
): Promise<Answered> {
  const url = `${served.url}/workbenches/genome?user_id=${user}&${query}`;
  const response = await fetch(url, signal ? { signal } : {});
  const { item, error } = (await response.json()) as { item?: Item; error?: { reason: string } };
  return { status: response.status, ...(item ? { item } : {}), ...(error ? { reason: error.reason } : {}) };
}

/** Until so many requests are known to be under way: each is answered before what is asked after it. */
const underWay = () => get('');

test('a wait is answered at once when the status is there, and else when it comes', async () => {
  served.put('genome', 'Pending');
  expect(await get('wait=pending,running')).toMatchObject({ status: 200, item: { status: 'pending' } });
  const waiting = get('wait=running');
  await underWay();
  served.put('genome', 'Failed');
  await underWay();
  served.put('genome', 'Running');
  // It has been failed in between, which nobody asked for.
  expect(await waiting).toMatchObject({ status: 200, item: { status: 'running' } });
});

test('who asks for failed too hears of it', async () => {
  served.put('genome', 'Pending');
  const waiting = get('wait=running,failed');
  await underWay();
  served.put('genome', 'Failed');
  expect(await waiting).toMatchObject({ item: { status: 'failed' } });
});

test('when the time is up it is answered as it is', async () => {
  served.put('genome', 'Pending');
  expect(await get('wait=running&timeout=0')).toMatchObject({ status: 200, item: { status: 'pending' } });
  expect(await get('wait=running&timeout=1')).toMatchObject({ status: 200, item: { status: 'pending' } });
});

test('what is deleted, or given to somebody else, while one waits is 404', async () => {
  const mine = served.put('genome', 'Pending');
  const waiting = get('wait=running');
  await underWay();
  served.remove(mine);
  expect(await waiting).toEqual({ status: 404, reason: 'NotFound' });
  served.put('genome', 'Pending', {}, 'another uid');
  const again = get('wait=running');
  await underWay();
  served.put('genome', 'Running', { owner: 'bob' }, 'another uid');
  expect(await again).toEqual({ status: 404, reason: 'NotFound' });
});

test('when the process is asked to end, who waits is answered as it is, and who comes then is not kept', async () => {
  served.put('genome', 'Pending');
  const waiting = get('wait=running');
  await underWay();
  served.leave();
  expect(await waiting).toMatchObject({ status: 200, item: { status: 'pending' } });
  expect(await get('wait=running')).toMatchObject({ status: 200, item: { status: 'pending' } });
});

test('a user may wait a hundred times at once, and who goes away makes room', async () => {
  served.put('genome', 'Pending');
  served.put('lab', 'Pending', { owner: 'bob' });
  const going = new AbortController();
  const waits = Array.from({ length: 100 }, () =>
    get('wait=running', { signal: going.signal }).catch(() => ({ status: 0 }) as Answered),
  );
  await underWay();
  let over: Answered;
  // All hundred have come when the next is refused.
  do over = await get('wait=running&timeout=0');
  while (over.status === 200);
  expect(over).toEqual({ status: 429, reason: 'TooManyStreams' });
  const bobs = await fetch(`${served.url}/workbenches/lab?user_id=bob&wait=running&timeout=0`);
  expect(bobs.status).toBe(200);
  going.abort();
  expect((await Promise.all(waits)).every(({ status }) => status === 0)).toBe(true);
  do over = await get('wait=running&timeout=0');
  while (over.status === 429);
  expect(over).toMatchObject({ status: 200 });
});
