import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serve } from './served.ts';
import type { Served } from './served.ts';

const PORTAL = 'https://portal.example';
let open: Served;
let closed: Served;
beforeAll(async () => {
  open = await serve({ origins: [PORTAL, 'http://localhost:3000'] });
  closed = await serve();
});
afterAll(async () => {
  await Promise.all([open.close(), closed.close()]);
});

const ask = (served: Served, method: string, headers: Record<string, string>) =>
  fetch(`${served.url}/workbenches?user_id=alice`, { method, headers });
const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'idempotency-key' };

describe('a page of an origin that may', () => {
  test('learns before it asks what it may send', async () => {
    const answer = await ask(open, 'OPTIONS', { origin: PORTAL, ...preflight });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(PORTAL);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET,POST,PATCH,DELETE');
    expect(answer.headers.get('access-control-allow-headers')).toMatch(/Authorization.*Idempotency-Key/);
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('reads answers, and may write from another site', async () => {
    const read = await ask(open, 'GET', { origin: PORTAL });
    expect(read.headers.get('access-control-allow-origin')).toBe(PORTAL);
    expect(read.headers.get('access-control-expose-headers')).toBe('Retry-After,X-Request-Id');
    expect(read.headers.get('vary')).toMatch(/Origin/);
    // Past the guard: the body is looked at.
    const write = { origin: PORTAL, 'sec-fetch-site': 'cross-site', 'idempotency-key': '' };
    expect(await (await ask(open, 'POST', write)).json()).toMatchObject({ error: { reason: 'Invalid' } });
  });

  test('reads errors, too', async () => {
    const answer = await fetch(`${open.url}/workbenches/none?user_id=alice`, { headers: { origin: PORTAL } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([404, PORTAL]);
  });
});

describe('a page of another origin', () => {
  test.each(['https://evil.example', 'https://portal.example.evil.example', 'http://portal.example', 'null'])(
    '%s is told nothing and writes nothing',
    async (origin) => {
      for (const served of [open, closed]) {
        const { headers } = await ask(served, 'OPTIONS', { origin, ...preflight });
        expect(headers.get('access-control-allow-origin')).toBeNull();
        expect((await ask(served, 'GET', { origin })).headers.get('access-control-allow-origin')).toBeNull();
        const write = await ask(served, 'POST', { origin, 'sec-fetch-site': 'cross-site' });
        expect(await write.json()).toMatchObject({ error: { reason: 'CrossSite' } });
      }
    },
  );
});
