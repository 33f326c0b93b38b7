import { afterEach, expect, test } from '@jest/globals';
import { rateLimit } from '../../src/rest/rate.ts';
import { serve } from './served.ts';
import type { Served } from './served.ts';

let served: Served | undefined;
afterEach(() => served?.close());

test('each user has a burst of ten seconds’ worth, and is then told when to come back; nobody else is', async () => {
  served = await serve({ perSecond: 0.5 });
  const ask = (user: string) => fetch(`${served!.url}/workbenches?user_id=${user}`);
  for (let i = 0; i < 5; i += 1) expect((await ask('alice')).status).toBe(200);
  const refused = await ask('alice');
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(10);
  expect(await refused.json()).toMatchObject({ success: false, error: { reason: 'TooManyRequests' } });
  expect((await ask('bob')).status).toBe(200);
});

test('without a limit there is none', async () => {
  const check = rateLimit(0);
  await Promise.all(Array.from({ length: 10_000 }, () => check('alice')));
});
