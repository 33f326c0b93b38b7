import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealthServer } from '../../src/rest/health.ts';
import type { HealthOptions } from '../../src/rest/health.ts';

let server: Server;

afterEach(async () => {
  server.close();
  await once(server, 'close');
});

/** What the port answers in this state: status, type and text. */
async function ask(path: string, state: Partial<HealthOptions>) {
  const well = { waitingFor: () => [], blind: () => [], metrics: () => Promise.reject(new Error('not asked for')) };
  server = createHealthServer({}, { ...well, ...state }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const answer = await fetch(url, { headers: { connection: 'close' } });
  return [answer.status, answer.headers.get('content-type'), await answer.text()];
}

const TEXT = 'text/plain; charset=utf-8';

test.each(['/livez', '/readyz', '/livez?verbose'])('%s says ok when all is well', async (path) => {
  expect(await ask(path, {})).toEqual([200, TEXT, 'ok\n']);
});

test('/livez fails with the kinds whose watches are blind; /readyz does not, since the cache still answers', async () => {
  const state = { blind: () => ['Pod', 'Ingress'] };
  expect(await ask('/livez', state)).toEqual([
    503,
    TEXT,
    'the API server answers, but nothing has come for long of Pod, Ingress\n',
  ]);
  server.close();
  expect(await ask('/readyz', state)).toEqual([200, TEXT, 'ok\n']);
});

test('/readyz fails with what has not been listed yet; /livez does not', async () => {
  const state = { waitingFor: () => ['pods', 'services'] };
  expect(await ask('/readyz', state)).toEqual([503, TEXT, 'waiting for pods, services\n']);
  server.close();
  expect(await ask('/livez', state)).toEqual([200, TEXT, 'ok\n']);
});

test('/metrics answers what there is to scrape, and 500 when that fails', async () => {
  const contentType = 'text/plain; version=0.0.4';
  expect(await ask('/metrics', { metrics: () => Promise.resolve({ contentType, text: 'up 1\n' }) })).toEqual([
    200,
    contentType,
    'up 1\n',
  ]);
  server.close();
  expect(await ask('/metrics', {})).toEqual([500, null, '']);
});
