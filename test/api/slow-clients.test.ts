/** Who sends slowly, much, or often is cut off or told so, at the process as it runs; who does not is served meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';

let cluster: Cluster;
let installation: Installation;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated' });
  const env = { RESTAPI_RATE_LIMIT: '5', RESTAPI_CORS_ORIGIN: 'https://portal.example', RESTAPI_URL_PREFIX: '/api' };
  installation = await install(cluster, { env });
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
});

const ask = (user: string, headers: Record<string, string> = {}) =>
  fetch(`${installation.rest}/api/workbenches?user_id=${user}`, { headers });

describe('a client that trickles', () => {
  /** Sends a byte a second, until the other side closes; resolves with what was answered, and after how many seconds. */
  async function trickle(begin: string): Promise<{ answer: string; seconds: number }> {
    const { port, hostname } = new URL(installation.rest);
    const socket = connect(Number(port), hostname, () => socket.write(begin));
    const began = performance.now();
    const drip = setInterval(() => socket.writable && socket.write('x'), 1_000);
    let answer = '';
    socket.setEncoding('utf8').on('error', () => undefined);
    try {
      for await (const chunk of socket) answer += String(chunk);
    } catch {
      // Cut off while it sends: so be it.
    } finally {
      clearInterval(drip);
    }
    return { answer, seconds: (performance.now() - began) / 1_000 };
  }

  test('its headers is cut off after ten seconds, and its body after thirty; others are served meanwhile', async () => {
    const post = 'POST /api/workbenches?user_id=slow HTTP/1.1\r\nhost: x\r\n';
    const body = 'content-type: application/json\r\ncontent-length: 100000\r\n\r\n{';
    const both = Promise.all([trickle(`${post}x-slow: `), trickle(post + body)]);
    expect((await ask('quick')).status).toBe(200);
    const [headers, bodies] = await both;
    expect(headers.answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n.*"reason":"Timeout"/s);
    expect(headers.seconds).toBeGreaterThan(9);
    expect(headers.seconds).toBeLessThan(25);
    expect(bodies.answer).toMatch(/^HTTP\/1.1 408 /);
    expect(bodies.seconds).toBeGreaterThan(29);
    expect(bodies.seconds).toBeLessThan(50);
  });
});

test('a flood is told to come back later, its neighbours are served, and it is served again then', async () => {
  const answers = await Promise.all(Array.from({ length: 80 }, () => ask('flood')));
  const refused = answers.filter(({ status }) => status === 429);
  // Ten seconds' worth are a burst that anybody may have.
  expect(answers.length - refused.length).toBe(50);
  expect(await refused[0]!.json()).toMatchObject({ error: { reason: 'TooManyRequests' } });
  const seconds = Number(refused[0]!.headers.get('retry-after'));
  expect((await ask('neighbour')).status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  expect((await ask('flood')).status).toBe(200);
});

test('what the environment says of origins holds', async () => {
  const allowed = async (origin: string) => (await ask('page', { origin })).headers.get('access-control-allow-origin');
  expect(await allowed('https://portal.example')).toBe('https://portal.example');
  expect(await allowed('https://evil.example')).toBeNull();
});

test('under a prefix all of it is there, and nothing without it', async () => {
  for (const path of ['/openapi.json', '/docs', '/workbenches?user_id=a', '/volumes?user_id=a']) {
    expect([path, (await fetch(`${installation.rest}/api${path}`)).status]).toEqual([path, 200]);
    expect([path, (await fetch(installation.rest + path)).status]).toEqual([path, 404]);
  }
  const events = await fetch(`${installation.rest}/api/workbenches/none/events?user_id=a`);
  expect([events.status, await events.json()]).toMatchObject([404, { error: { reason: 'NotFound' } }]);
});
