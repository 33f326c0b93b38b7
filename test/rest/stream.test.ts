import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { openEvents } from '../events.ts';
import type { Events } from '../events.ts';
import { serve } from './served.ts';
import type { Served } from './served.ts';

let served: Served;
const opened: Events[] = [];
beforeEach(async () => {
  served = await serve();
});
afterEach(async () => {
  for (const events of opened.splice(0)) events.close();
  await served.close();
});

async function open(headers: Record<string, string> = {}, user = 'alice'): Promise<Events> {
  const events = await openEvents(`${served.url}/workbenches/genome/events?user_id=${user}`, headers);
  opened.push(events);
  return events;
}

test('a stream begins with the item as it is, and says each change and nothing twice', async () => {
  served.put('genome', 'Pending');
  const events = await open();
  expect(events.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(events.response.headers.get('cache-control')).toBe('no-store');
  expect(await events.next()).toMatchObject({ id: expect.stringMatching(/^[\w-]{16}$/), data: { status: 'pending' } });
  expect(events.text()).toMatch(/^retry: [12]\d{3}\n\n/);
  // Nothing that a client can see.
  served.put('genome', 'Pending');
  served.put('genome', 'Running');
  expect(await events.next()).toMatchObject({ data: { workbench_id: 'genome', status: 'running' } });
});

test('who comes back with the last id is told nothing that it knows, and everything else', async () => {
  served.put('genome', 'Pending');
  const { id } = (await (await open()).next())!;
  const same = await open({ 'last-event-id': id! });
  const other = await open({ 'last-event-id': 'of long ago' });
  expect(await other.next()).toMatchObject({ id, data: { status: 'pending' } });
  served.put('genome', 'Running');
  expect(await same.next()).toMatchObject({ data: { status: 'running' } });
  expect(await other.next()).toMatchObject({ data: { status: 'running' } });
});

test('a deletion is the last event; so is a workbench of the same name that is another', async () => {
  const mine = served.put('genome', 'Running');
  const events = await open();
  await events.next();
  served.remove(mine);
  expect(await events.next()).toEqual({ event: 'deleted', data: { workbench_id: 'genome' } });
  expect(await events.next()).toBeUndefined();

  served.put('genome', 'Pending', {}, 'another uid');
  const again = await open();
  await again.next();
  served.put('genome', 'Pending', {}, 'a third uid');
  expect(await again.next()).toMatchObject({ event: 'deleted' });
  expect(await again.next()).toBeUndefined();
});

test('whoever loses the right to see it is told what is told of what is gone', async () => {
  served.put('genome', 'Running');
  const events = await open();
  await events.next();
  served.put('genome', 'Running', { owner: 'bob' });
  expect(await events.next()).toEqual({ event: 'deleted', data: { workbench_id: 'genome' } });
  expect(await events.next()).toBeUndefined();
  expect((await open()).response.status).toBe(404);
  expect((await open({}, 'bob')).response.status).toBe(200);
});

test('when the process is asked to end a stream ends, and one that begins then has the item and ends', async () => {
  served.put('genome', 'Running');
  const events = await open();
  await events.next();
  served.leave();
  expect(await events.next()).toBeUndefined();
  const late = await open();
  expect(await late.next()).toMatchObject({ data: { status: 'running' } });
  expect(await late.next()).toBeUndefined();
});

test('a reader that does not read gets the latest item when it does, and not the thousands before it', async () => {
  served.put('genome', 'Pending');
  const { port, hostname } = new URL(served.url);
  const socket = connect(Number(port), hostname);
  socket.write('GET /workbenches/genome/events?user_id=alice HTTP/1.1\r\nhost: x\r\n\r\n');
  let text = '';
  const chunks = socket.setEncoding('utf8')[Symbol.asyncIterator]();
  const until = async (sign: string) => {
    while (!text.includes(sign)) {
      const { done, value } = await chunks.next();
      if (done) throw new Error(`It ended without ${sign}`);
      text += String(value);
    }
  };
  await until('"pending"');
  socket.pause();
  // Far more than all buffers between the two hold.
  const CHANGES = 3_000;
  const bulk = 'x'.repeat(8_000);
  for (let i = 1; i <= CHANGES; i += 1) {
    served.put('genome', 'Pending', { image: `registry.example/lab:${i}-${bulk}` });
    await new Promise(setImmediate);
  }
  served.put('genome', 'Running');
  await until('"running"');
  expect(text.split('data: ').length).toBeLessThan(CHANGES);
  socket.destroy();
});

test('a HEAD is answered and keeps nothing open', async () => {
  served.put('genome', 'Running');
  const head = await fetch(`${served.url}/workbenches/genome/events?user_id=alice`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  expect(await head.text()).toBe('');
});

test('to whom it is shared a stream says what their share allows, and nothing while it may have been taken back', async () => {
  const shares = [{ user: 'bob', permission: 'read' as const }];
  served.put('genome', 'Pending', { shares });
  const bobs = await open({}, 'bob');
  expect(await bobs.next()).toMatchObject({ data: { status: 'pending', permission: 'read' } });
  const owners = await open();
  expect(await owners.next()).not.toHaveProperty('data.permission');
  served.setCurrent(false);
  served.put('genome', 'Running', { shares });
  expect(await owners.next()).toMatchObject({ data: { status: 'running' } });
  served.setCurrent(true);
  served.put('genome', 'Failed', { shares });
  expect(await bobs.next()).toMatchObject({ data: { status: 'failed', permission: 'read' } });
  served.put('genome', 'Failed');
  expect(await bobs.next()).toEqual({ event: 'deleted', data: { workbench_id: 'genome' } });
});
