import { beforeAll, describe, expect, test } from '@jest/globals';
import { UnsecuredJWT } from 'jose';
import { createJudge } from '../../src/guard/judge.ts';
import type { Asked, JudgeOptions, Judgement } from '../../src/guard/judge.ts';
import { createSeal } from '../../src/guard/seal.ts';
import type { Right } from '../../src/workbench/shares.ts';
import { settings } from '../workbench/sample.ts';

const ISSUER = 'https://id.example';
const seal = createSeal(['a key of the guard, long enough to be one']);
const tokenOf = (user: string, iss = ISSUER, aud = 'workbenches') => new UnsecuredJWT({ iss, aud, user }).encode();

const RIGHTS: Record<string, Right> = { alice: 'owner', reader: 'read', writer: 'read-write' };

const usual: JudgeOptions = {
  seal,
  settings: { ...settings, baseUrl: 'https://cloud.example' },
  prefix: '/project/',
  issuer: ISSUER,
  audience: 'workbenches',
  verify: async (token) => {
    const { user } = UnsecuredJWT.decode<{ user: string }>(token).payload;
    if (user !== 'nobody') return Promise.resolve({ user });
    throw Object.assign(new Error('The token has expired.'), { status: 401, reason: 'InvalidToken' });
  },
  rightOf: async (id, user) => {
    if (user === 'away') throw new Error('the API server is away');
    return Promise.resolve(id === 'genome' ? RIGHTS[user] : undefined);
  },
  allowsSameOriginSharing: false,
};
const judge = createJudge(usual);

const sessionOf = async (user: string, at = '-') =>
  `__Host-workbench-session=${await seal.close('session', { user, at }, 60)}`;

let alices: string;
let bobs: string;
beforeAll(async () => {
  alices = await sessionOf('alice');
  bobs = await sessionOf('bob');
});

function ask(headers: Asked['headers'], uri = '/project/genome/lab', method = 'GET'): Promise<Judgement> {
  return judge({ method, uri, host: 'cloud.example', headers });
}

describe('with a session', () => {
  test('its owner may open a workbench, which never sees that session', async () => {
    expect(await ask({ cookie: alices })).toEqual({ is: 'allowed', id: 'genome' });
    expect(await ask({ cookie: `a=1; ${alices}; _xsrf=2|b "c"` })).toEqual({
      is: 'allowed',
      id: 'genome',
      cookie: 'a=1; _xsrf=2|b "c"',
    });
  });

  test("the workbench's own way to know people is none of the guard's business", async () => {
    for (const authorization of [
      'token abc',
      'Basic YTpi',
      'Bearer opaque',
      `Bearer ${tokenOf('x', 'https://other.example')}`,
      `Bearer ${tokenOf('x', ISSUER, 'another API')}`,
    ]) {
      expect(await ask({ cookie: alices, authorization })).toEqual({ is: 'allowed', id: 'genome', authorization });
      expect(await ask({ authorization })).toEqual({ is: 'stranger', id: 'genome' });
    }
  });

  test('somebody else learns nothing, not even that it is there', async () => {
    const foreign = await ask({ cookie: bobs });
    expect(foreign).toEqual({ is: 'unknown' });
    expect(await ask({ cookie: bobs }, '/project/no-such')).toEqual(foreign);
  });

  test('one that is twice there, changed, of another use or of another key is none', async () => {
    const [name, value] = alices.split('=') as [string, string];
    const other = await createSeal(['another key of a guard, as long as that']).close('session', { user: 'alice' }, 60);
    const login = await seal.close('login', { user: 'alice', at: '-' }, 60);
    const old = await seal.close('session', { user: 'alice', at: '-' }, -60);
    const cookies = [
      `${alices}; ${bobs}`,
      `${name}=${value.slice(0, -3)}abc`,
      `${name}=${other}`,
      `${name}=${login}`,
      `${name}=${old}`,
      `\u00a0${alices}`,
    ];
    for (const cookie of cookies) expect(await ask({ cookie })).toEqual({ is: 'stranger', id: 'genome' });
  });

  test.each([
    [{ origin: 'https://evil.example' }, 'GET'],
    [{ origin: 'null' }, 'POST'],
    [{ origin: 'https://other.cloud.example' }, 'GET'],
    [{ origin: 'http://cloud.example' }, 'POST'],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 'GET'],
    [{ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'websocket' }, 'GET'],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 'POST'],
    [{ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, 'GET'],
  ] as [Asked['headers'], string][])('a page of another site does nothing with it: %j %s', async (headers, method) => {
    expect(await ask({ cookie: alices, ...headers }, undefined, method)).toMatchObject({
      status: 403,
      reason: 'CrossSite',
    });
  });

  test.each([
    [{ origin: 'https://cloud.example', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }, 'POST'],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 'GET'],
    [{ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, 'GET'],
    // A form of a page without a referrer policy that would tell.
    [{ origin: 'null', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }, 'POST'],
    [{ origin: 'https://cloud.example', 'sec-websocket-key': 'x' }, 'GET'],
  ] as [Asked['headers'], string][])('its own pages may, and so may a link: %j %s', async (headers, method) => {
    expect(await ask({ cookie: alices, ...headers }, undefined, method)).toMatchObject({ is: 'allowed' });
  });
});

describe('with a token', () => {
  test('of the API its owner may open a workbench, which never sees it', async () => {
    const authorization = `Bearer ${tokenOf('alice')}`;
    expect(await ask({ authorization, cookie: 'a=1' })).toEqual({ is: 'allowed', id: 'genome', cookie: 'a=1' });
    expect(await ask({ authorization: `Bearer ${tokenOf('bob')}` })).toEqual({ is: 'unknown' });
  });

  test('of the API that is not valid it is said so, also beside a session', async () => {
    const authorization = `Bearer ${tokenOf('nobody')}`;
    const refused = { is: 'refused', status: 401, reason: 'InvalidToken', message: 'The token has expired.' };
    expect(await ask({ authorization, cookie: alices })).toEqual(refused);
  });

  test('of the endpoint check one workbench opens, and no other', async () => {
    const authorization = `Bearer ${await seal.close('probe', { id: 'genome' }, 30)}`;
    expect(await ask({ authorization })).toEqual({ is: 'allowed', id: 'genome' });
    expect(await ask({ authorization }, '/project/other')).toEqual({ is: 'stranger', id: 'other' });
    const pass = `Bearer ${await seal.close('pass', { id: 'genome' }, 30)}`;
    expect(await ask({ authorization: pass })).toMatchObject({ is: 'stranger' });
  });
});

test('without anything nobody is known', async () => {
  expect(await ask({})).toEqual({ is: 'stranger', id: 'genome' });
});

test('an address that can be read in two ways is refused before anybody is asked who they are', async () => {
  expect(await ask({ cookie: alices }, '/project/genome/%2e%2e/other')).toMatchObject({
    status: 400,
    reason: 'AmbiguousPath',
  });
});

describe('where each workbench has a host of its own', () => {
  const inHosts = createJudge({ ...usual, settings: { ...usual.settings, workbenchDomain: 'wb.example' } });

  test('a session is good at the host that it was made for, and the path at its own', async () => {
    const session = await seal.close('session', { user: 'alice', at: 'genome' }, 60);
    const headers = { cookie: `__Host-workbench-session=${session}` };
    const at = (host: string, uri: string, more = {}) =>
      inHosts({ method: 'GET', uri, host, headers: { ...headers, ...more } });
    expect(await at('genome.wb.example', '/project/genome/lab')).toMatchObject({ is: 'allowed' });
    expect(await at('genome.wb.example', '/project/genome', { origin: 'https://other.wb.example' })).toMatchObject({
      reason: 'CrossSite',
    });
    expect(await at('other.wb.example', '/project/other')).toEqual({ is: 'stranger', id: 'other' });
    expect(await at('other.wb.example', '/project/genome')).toMatchObject({ status: 400, reason: 'WrongHost' });
    expect(await at('cloud.example', '/project/genome')).toMatchObject({ status: 400, reason: 'WrongHost' });
    expect(
      await inHosts({ method: 'GET', uri: '/project/genome', host: 'genome.wb.example', headers: { cookie: alices } }),
    ).toMatchObject({ is: 'stranger' });
  });

  test.each([
    ['reader', 'GET', {}, 'allowed'],
    ['reader', 'HEAD', {}, 'allowed'],
    ['reader', 'POST', {}, 'ReadOnly'],
    ['reader', 'CONNECT', {}, 'ReadOnly'],
    ['reader', 'GET', { 'sec-websocket-key': 'x' }, 'ReadOnly'],
    ['reader', 'GET', { 'http2-settings': 'x' }, 'ReadOnly'],
    ['writer', 'GET', { 'sec-websocket-key': 'x' }, 'allowed'],
    ['writer', 'DELETE', {}, 'allowed'],
    ['bob', 'GET', {}, 'unknown'],
  ])('it opens to whom it is shared with: %s, %s %j: %s', async (user, method, headers, wanted) => {
    const cookie = await sessionOf(user, 'genome');
    const asked = { method, uri: '/project/genome', host: 'genome.wb.example', headers: { cookie, ...headers } };
    const judgement = await inHosts(asked);
    expect(judgement.is === 'refused' ? judgement.reason : judgement.is).toBe(wanted);
  });
});

test('where all share one origin, what is shared opens only if the administrator takes the risk', async () => {
  const cookie = await sessionOf('writer');
  expect(await ask({ cookie })).toMatchObject({ status: 403, reason: 'SharingNeedsHostMode' });
});

test('while the cluster cannot be asked nobody is let in by chance', async () => {
  const cookie = await sessionOf('away');
  expect(await ask({ cookie })).toMatchObject({ status: 503, reason: 'ClusterUnavailable' });
});

test('an administrator may take that risk', async () => {
  const open = createJudge({ ...usual, allowsSameOriginSharing: true });
  const as = async (user: string, method: string) => {
    const cookie = await sessionOf(user);
    const judgement = await open({ method, uri: '/project/genome', host: 'cloud.example', headers: { cookie } });
    return judgement.is === 'refused' ? judgement.reason : judgement.is;
  };
  expect([await as('writer', 'POST'), await as('reader', 'GET')]).toEqual(['allowed', 'allowed']);
  expect([await as('reader', 'POST'), await as('bob', 'GET')]).toEqual(['ReadOnly', 'unknown']);
});
