import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { createGuard } from '../../src/guard/guard.ts';
import { createJudge } from '../../src/guard/judge.ts';
import { LoginError } from '../../src/guard/login.ts';
import type { Login } from '../../src/guard/login.ts';
import { createOwnPages } from '../../src/guard/own-pages.ts';
import { createSeal } from '../../src/guard/seal.ts';
import { Store } from '../../src/kube/store.ts';
import { createPages } from '../../src/rest/page.ts';
import type { Settings } from '../../src/workbench/settings.ts';
import { settings as sample, workbench } from '../workbench/sample.ts';

const PROVIDER = 'https://id.example/authorize';
const HTML = { accept: 'text/html', 'sec-fetch-mode': 'navigate' };
const seal = createSeal(['a key of the guard, long enough to be one']);

/** The provider, as the guard sees it: whoever comes back with the code "alice's" is alice. */
const login: Login = {
  begin: async () => {
    const state = crypto.randomUUID();
    return Promise.resolve({ state, nonce: 'n', verifier: 'v', location: `${PROVIDER}?state=${state}` });
  },
  finish: async (query) => {
    const code = new URLSearchParams(query).get('code');
    if (code === 'away') throw new Error('connect ECONNREFUSED');
    if (code !== "alice's") throw new LoginError('The identity provider did not confirm the login.');
    return Promise.resolve('alice');
  },
};

const problems: unknown[] = [];
const servers: Server[] = [];

async function listen(settings: Settings): Promise<string> {
  const store = new Store();
  store.collections.Workbench.saw(workbench({ owner: 'alice' }, { phase: 'Pending', message: 'No node is free.' }));
  const pages = createPages(store);
  const judge = createJudge({
    seal,
    settings,
    prefix: '/project/',
    issuer: 'https://id.example',
    audience: 'workbenches',
    verify: () => Promise.reject(new Error('no token is shown here')),
    rightOf: async (id, user) => Promise.resolve(id === 'genome' && user === 'alice' ? ('owner' as const) : undefined),
    allowsSameOriginSharing: false,
  });
  const ownPages = createOwnPages({ login, seal, pages, settings, sessionSeconds: 3600 });
  const onProblem = (error: unknown) => problems.push(error);
  const server = createServer(createGuard({ judge, ownPages, seal, pages, settings, onProblem }));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let inPaths: string;
let inHosts: string;
beforeAll(async () => {
  inPaths = await listen({ ...sample, baseUrl: 'https://cloud.example' });
  inHosts = await listen({ ...sample, baseUrl: 'https://cloud.example', workbenchDomain: 'wb.example' });
});
afterAll(() => {
  for (const server of servers) server.close();
});

interface Reply {
  status: number;
  location: string | undefined;
  /** Set-Cookie, by name; with nothing behind it where one is taken away. */
  cookies: Record<string, string>;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

async function get(at: string, path: string, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await request(at + path, { headers });
  const set = [response.headers['set-cookie'] ?? []].flat();
  const cookies = Object.fromEntries(set.map((line) => /^([^=]+)=([^;]*)/.exec(line)!.slice(1) as [string, string]));
  const location = response.headers.location?.toString();
  return {
    status: response.statusCode,
    location,
    cookies,
    headers: response.headers,
    text: await response.body.text(),
  };
}

const cookieHeader = (cookies: Record<string, string>) =>
  Object.entries(cookies)
    .flatMap(([name, value]) => (value === '' ? [] : [`${name}=${value}`]))
    .join('; ');

/** As Traefik asks before it routes. */
const byTraefik = (uri: string, headers: Record<string, string> = {}, host = 'cloud.example') =>
  get(inPaths, '/guard/traefik', {
    'x-forwarded-method': 'GET',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': host,
    'x-forwarded-uri': uri,
    ...headers,
  });

async function logIn(uri: string): Promise<Reply> {
  const begun = await byTraefik(uri, HTML);
  const state = new URL(begun.location!).searchParams.get('state')!;
  return get(inPaths, `/project/-/callback?state=${state}&code=alice's`, { cookie: cookieHeader(begun.cookies) });
}

describe('a browser that nobody has logged in with', () => {
  test('is sent to the provider, and comes back to where it wanted', async () => {
    const begun = await byTraefik('/project/genome/lab?reset', HTML);
    expect(begun).toMatchObject({ status: 302, location: expect.stringContaining(PROVIDER) });
    const [name] = Object.keys(begun.cookies);
    expect(name).toMatch(/^__Host-workbench-login-/);
    expect(begun.headers['set-cookie']).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/);
    const back = await logIn('/project/genome/lab?reset');
    expect(back).toMatchObject({ status: 302, location: '/project/genome/lab?reset' });
    expect(Object.values(back.cookies)).toEqual([expect.stringMatching(/^\S{50,}$/), '']);
    const opened = await byTraefik('/project/genome/lab', { cookie: `a=1; ${cookieHeader(back.cookies)}` });
    expect(opened.status).toBe(200);
    expect(opened.headers.cookie).toBe('a=1');
  });

  test('that only fetches is told so, and begins no login', async () => {
    const reply = await byTraefik('/project/genome/api', { accept: '*/*', 'sec-fetch-mode': 'cors' });
    expect(reply).toMatchObject({ status: 401, cookies: {}, location: undefined });
    expect(reply.headers['workbench-status']).toBe('refused');
  });

  test('finishes no login that it did not begin', async () => {
    const begun = await byTraefik('/project/genome', HTML);
    const state = new URL(begun.location!).searchParams.get('state')!;
    const other = await byTraefik('/project/genome', HTML);
    for (const cookie of ['', cookieHeader(other.cookies), `${Object.keys(begun.cookies)[0]}=abc`]) {
      const back = await get(inPaths, `/project/-/callback?state=${state}&code=alice's`, cookie ? { cookie } : {});
      expect([back.status, back.text, back.cookies]).toEqual([400, expect.stringContaining('LoginFailed'), {}]);
    }
  });

  test('is told when the provider refuses, or is away', async () => {
    const begun = await byTraefik('/project/genome', HTML);
    const state = new URL(begun.location!).searchParams.get('state')!;
    const with_ = (code: string) =>
      get(inPaths, `/project/-/callback?state=${state}&code=${code}`, { cookie: cookieHeader(begun.cookies) });
    expect(await with_('no')).toMatchObject({ status: 400, text: expect.stringContaining('did not confirm') });
    expect(await with_('away')).toMatchObject({ status: 503, text: expect.stringContaining('IdentityUnavailable') });
    expect(problems).toEqual([expect.objectContaining({ message: 'connect ECONNREFUSED' })]);
  });

  test('that has begun many logins keeps the last', async () => {
    const many = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`__Host-workbench-login-${i}`, 'x']));
    const begun = await byTraefik('/project/genome', { ...HTML, cookie: cookieHeader(many) });
    expect(Object.values(begun.cookies).filter((value) => value === '')).toHaveLength(5);
    expect(Object.values(begun.cookies).filter((value) => value !== '')).toHaveLength(1);
  });
});

describe('the state page', () => {
  test('is shown to its owner, by the cookie or by the pass that stands for it', async () => {
    const { cookies } = await logIn('/project/genome');
    const cookie = cookieHeader(cookies);
    const direct = await get(inPaths, '/project/genome', { cookie });
    expect(direct).toMatchObject({ status: 503, text: expect.stringContaining('No node is free.') });
    const passed = await byTraefik('/project/genome', { cookie });
    const pass = passed.headers['workbench-pass'] as string;
    expect((await get(inPaths, '/project/genome', { 'workbench-pass': pass })).text).toBe(direct.text);
    const elsewhere = await get(inPaths, '/project/other', { 'workbench-pass': pass, ...HTML });
    expect(elsewhere.location).toContain(PROVIDER);
  });

  test('of an unknown workbench and of somebody else’s are the same to the byte', async () => {
    const bob = `__Host-workbench-session=${await seal.close('session', { user: 'bob', at: '-' }, 60)}`;
    const [foreign, unknown] = await Promise.all(
      ['/project/genome', '/project/no-such'].map((uri) => byTraefik(uri, { cookie: bob })),
    );
    expect(foreign!.text).toBe(unknown!.text);
    expect({ ...foreign!.headers, date: '' }).toEqual({ ...unknown!.headers, date: '' });
    expect(foreign).toMatchObject({ status: 503, text: expect.stringContaining('There is no workbench here') });
  });
});

test('an ambiguous address is refused to everybody', async () => {
  const { cookies } = await logIn('/project/genome');
  const reply = await byTraefik('/project/genome/%2e%2e/other', { cookie: cookieHeader(cookies) });
  expect(reply).toMatchObject({ status: 400, text: expect.stringContaining('AmbiguousPath') });
});

test('logging out takes the session away', async () => {
  const reply = await get(inPaths, '/project/-/logout');
  expect(reply).toMatchObject({ status: 200, cookies: { '__Host-workbench-session': '' } });
});

describe('nginx', () => {
  const byNginx = (url: string, headers: Record<string, string> = {}) =>
    get(inPaths, '/guard/nginx', { 'x-original-method': 'GET', 'x-original-url': url, ...headers });

  test('is told yes, or one of the two codes that it knows; and its sign-in page begins a login', async () => {
    const url = 'https://cloud.example/project/genome/lab';
    expect(await byNginx(url, HTML)).toMatchObject({ status: 401, text: '' });
    expect(await byNginx(url)).toMatchObject({ status: 403 });
    expect(await byNginx('https://cloud.example/project/genome/../x', HTML)).toMatchObject({ status: 403 });
    const begun = await get(inPaths, `/project/-/login?rd=${encodeURIComponent(url)}`, HTML);
    const state = new URL(begun.location!).searchParams.get('state')!;
    const cookie = cookieHeader(begun.cookies);
    const back = await get(inPaths, `/project/-/callback?state=${state}&code=alice's`, { cookie });
    expect(back.location).toBe('/project/genome/lab');
    expect(await byNginx(url, { cookie: cookieHeader(back.cookies) })).toMatchObject({ status: 200 });
  });

  test.each(['https://evil.example/', '//evil.example/project/genome', '/project/-/login', 'javascript:alert(1)', ''])(
    'sends nobody to %j after a login',
    async (rd) => {
      const reply = await get(inPaths, `/project/-/login?rd=${encodeURIComponent(rd)}`, HTML);
      expect(reply).toMatchObject({ status: 400, location: undefined });
    },
  );
});

describe('where each workbench has a host of its own', () => {
  const at = (host: string, path: string, headers: Record<string, string> = {}) =>
    get(inHosts, path, { host, ...HTML, ...headers });

  test('one login serves them all, and each host gets a session of its own', async () => {
    const wanted = await at('genome.wb.example', '/project/genome/lab');
    expect(wanted.location).toMatch(/^https:\/\/cloud\.example\/project\/-\/login\?id=genome&nonce=/);
    const home = new URL(wanted.location!);
    const begun = await at('cloud.example', home.pathname + home.search);
    const state = new URL(begun.location!).searchParams.get('state')!;
    const callback = `/project/-/callback?state=${state}&code=alice's`;
    const back = await at('cloud.example', callback, { cookie: cookieHeader(begun.cookies) });
    const again = await at('cloud.example', back.location!, { cookie: cookieHeader(back.cookies) });
    const enter = new URL(again.location!);
    expect(enter.origin + enter.pathname).toBe('https://genome.wb.example/project/-/enter');

    // Whoever else gets hold of that address can do nothing with it, and a page that opened the window does not see it.
    const stolen = await at('genome.wb.example', enter.pathname + enter.search);
    expect(stolen).toMatchObject({ status: 302, location: '/project/-/enter', cookies: {} });
    expect(await at('genome.wb.example', stolen.location!)).toMatchObject({ status: 400, cookies: {} });
    const elsewhere = await at('other.wb.example', enter.pathname + enter.search, {
      cookie: cookieHeader(wanted.cookies),
    });
    expect(elsewhere).toMatchObject({ status: 302, location: '/project/-/enter', cookies: {} });

    const entered = await at('genome.wb.example', enter.pathname + enter.search, {
      cookie: cookieHeader(wanted.cookies),
    });
    expect(entered.location).toBe('/project/genome/lab');
    const session = { cookie: cookieHeader(entered.cookies) };
    expect((await at('genome.wb.example', '/project/genome', session)).text).toContain('No node is free.');
    expect((await at('genome.wb.example', '/project/genome', { cookie: cookieHeader(back.cookies) })).status).toBe(302);
    expect((await at('cloud.example', '/project/genome', session)).status).toBe(400);
  });

  test('logging out at a workbench logs out at home, too', async () => {
    const there = await at('genome.wb.example', '/project/-/logout');
    expect(there).toMatchObject({ location: 'https://cloud.example/project/-/logout' });
    expect(there.cookies).toEqual({ '__Host-workbench-session': '' });
    const home = await at('cloud.example', '/project/-/logout');
    expect(home).toMatchObject({ status: 200, cookies: { '__Host-workbench-session': '' } });
  });

  test.each([
    ['genome.wb.example', '/project/-/login?id=genome&nonce=x'],
    ['genome.wb.example', '/project/-/callback?state=x'],
    ['cloud.example', '/project/-/enter?code=x'],
    // As ingress-nginx asks, which has no way back to a workbench's own host.
    ['cloud.example', '/project/-/login?rd=https://genome.wb.example/project/genome'],
  ])('%s has no %s', async (host, path) => {
    expect(await at(host, path)).toMatchObject({ status: 400, location: undefined, cookies: {} });
  });
});
