import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK, JWTVerifyGetKey } from 'jose';
import { keysOf } from '../../src/rest/keys.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let server: Server;
let jwksUrl: string;
let key: JWK;
let published: string[];
let fetched: number;
let isDown: boolean;
let clock: number;
let keys: JWTVerifyGetKey;

beforeAll(async () => {
  key = await exportJWK((await generateKeyPair('ES256')).publicKey);
  server = createServer((_request, response) => {
    fetched += 1;
    const set = { keys: published.map((kid) => ({ ...key, kid })) };
    response.writeHead(isDown ? 503 : 200).end(JSON.stringify(set));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  [published, fetched, isDown, clock] = [['one'], 0, false, 0];
  keys = keysOf({ issuer: 'https://id.example', jwksUrl }, () => clock);
});

/** What a token of this key is to whoever asks now. */
const ask = async (kid: string): Promise<'known' | 'unknown' | 'away'> => {
  try {
    await keys({ alg: 'ES256', kid }, { payload: '', signature: '' });
    return 'known';
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_JWKS_NO_MATCHING_KEY' ? 'unknown' : 'away';
  }
};
const askAll = (...kids: string[]) => Promise.all(kids.map(ask));

test('all who ask at the beginning share one fetch', async () => {
  expect(await askAll('one', 'one', 'one')).toEqual(['known', 'known', 'known']);
  expect(fetched).toBe(1);
});

test('a key that is new is looked for at once, also a moment after the first fetch, and for all who bear it', async () => {
  expect(await ask('one')).toBe('known');
  published.push('two');
  expect(await askAll('two', 'two', 'one')).toEqual(['known', 'known', 'known']);
  expect(fetched).toBe(2);
});

test('keys that nobody has are looked for twice a minute, however many ask', async () => {
  expect(await ask('one')).toBe('known');
  for (clock = 0; clock < MINUTE; clock += SECOND) expect(await askAll('made-up', 'one')).toEqual(['unknown', 'known']);
  expect(fetched).toBe(3);
});

test('a key that was taken away is good for ten minutes at most, and for less when another one is looked for', async () => {
  published = ['one', 'two'];
  expect(await ask('one')).toBe('known');
  published = ['two'];
  clock = 10 * MINUTE - 1;
  expect(await ask('one')).toBe('known');
  clock = 10 * MINUTE;
  expect(await ask('one')).toBe('unknown');
  published = ['three'];
  clock += MINUTE;
  expect(await askAll('three')).toEqual(['known']);
  expect(await ask('two')).toBe('unknown');
});

test('while the provider is away known keys are good for an hour, and it is asked for them twice a minute', async () => {
  expect(await ask('one')).toBe('known');
  isDown = true;
  expect(await ask('two')).toBe('away');
  for (clock = 10 * MINUTE; clock < 11 * MINUTE; clock += SECOND) expect(await ask('one')).toBe('known');
  expect(fetched).toBe(4);
  clock = 60 * MINUTE - 1;
  expect(await ask('one')).toBe('known');
  clock = 60 * MINUTE;
  expect(await ask('one')).toBe('away');
  isDown = false;
  clock += 5 * SECOND;
  expect(await ask('one')).toBe('known');
});

test('a provider that is away at first is asked every five seconds until it is there, however many ask', async () => {
  isDown = true;
  for (; clock < 15 * SECOND; clock += SECOND) expect(await askAll('one', 'made-up')).toEqual(['away', 'away']);
  expect(fetched).toBe(3);
  isDown = false;
  expect(await ask('one')).toBe('known');
});

test('forged tokens are no burden to a provider that has trouble', async () => {
  expect(await ask('one')).toBe('known');
  isDown = true;
  for (let i = 0; i < 100; i++) expect(await ask(`forged-${i}`)).toBe('away');
  expect(fetched).toBe(2);
});
