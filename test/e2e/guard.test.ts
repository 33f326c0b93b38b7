/** With an identity provider a workbench's own URL opens to whom it belongs, in a real browser, through a real Ingress controller. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { placeOf } from '../../src/guard/path.ts';
import { client } from '../client.ts';
import type { Client, Item } from '../client.ts';
import { eventually } from '../eventually.ts';
import { launchChromium, newPage, photograph } from './chromium.ts';
import { confusingPaths } from './confusing-paths.ts';
import { GUARD_ANNOTATIONS, installGuarded } from './guarded.ts';
import type { GuardedInstallation } from './guarded.ts';
import { send } from './raw.ts';

let world: GuardedInstallation;
let browser: Browser;
let item: Item;

const as = async (user: string): Promise<Client> => client(world.rest, undefined, await world.keycloak.token(user));

beforeAll(async () => {
  browser = await launchChromium();
  world = await installGuarded();
  item = await runningFor('alice');
}, 1_800_000);

afterAll(async () => {
  await browser?.close();
  await world?.teardown();
});

async function runningFor(user: string): Promise<Item> {
  const { workbench_id: id } = await (await as(user)).create();
  return eventually(
    'running',
    async () => (await as(user)).get(id),
    ({ status }) => status === 'running',
  );
}

/** A person with a browser of their own. Resolves on the page that comes after the login. */
async function openAs(user: string, url: string): Promise<{ context: BrowserContext; page: Page }> {
  const page = await newPage(browser);
  const context = page.context();
  await page.goto(url);
  await page.locator('#username').fill(user);
  await page.locator('#password').fill(world.keycloak.password(user));
  await page.locator('#kc-login').click();
  await page.waitForURL((address) => address.pathname.startsWith(new URL(url).pathname));
  return { context, page };
}

const heading = (page: Page) => page.getByRole('heading', { level: 1 }).innerText();

async function cookiesOf(context: BrowserContext, url: string): Promise<string> {
  return (await context.cookies(url)).map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** The headers that the Pod got. */
async function headersAt(url: string, headers: Record<string, string>): Promise<Record<string, string>> {
  const response = await fetch(`${url}/headers`, { headers, redirect: 'manual' });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, string>;
}

/** The same of a WebSocket, or the status with which it was refused. */
function socketHeaders(url: string, headers: Record<string, string>): Promise<Record<string, string> | number> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/headers`, { headers, lookup: undefined });
  return new Promise((resolve, reject) => {
    socket.on('message', (data) => {
      socket.close();
      resolve(JSON.parse(String(data as Buffer)) as Record<string, string>);
    });
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    socket.on('error', reject);
  });
}

describe('in a browser', () => {
  let alices: Awaited<ReturnType<typeof openAs>>;

  test('its owner logs in at the provider and gets the workbench, at the very address that was asked for', async () => {
    alices = await openAs('alice', `${item.public_endpoint}/?a=b`);
    expect(alices.page.url()).toBe(`${item.public_endpoint}/?a=b`);
    expect(await alices.page.locator('dl').innerText()).toContain(item.workbench_id);
    const session = (await alices.context.cookies()).find(({ name }) => name === '__Host-workbench-session');
    expect(session).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' });
  });

  test('the workbench sees no credential of ours, and all of its own, over HTTP and over a WebSocket', async () => {
    const cookie = `${await cookiesOf(alices.context, item.public_endpoint)}; _xsrf=2|abc`;
    const own = { cookie, authorization: 'token of-jupyter' };
    const bearer = { authorization: `Bearer ${await world.keycloak.token('alice')}`, cookie: '_xsrf=2|abc' };
    for (const seen of [await headersAt(item.public_endpoint, own), await socketHeaders(item.public_endpoint, own)])
      expect(seen).toMatchObject({ cookie: expect.stringContaining('_xsrf=2|abc'), authorization: 'token of-jupyter' });
    for (const sent of [own, bearer])
      for (const seen of [await headersAt(item.public_endpoint, sent), await socketHeaders(item.public_endpoint, sent)])
        expect(JSON.stringify(seen)).not.toMatch(/__Host-workbench|Bearer/);
  });

  test('somebody else sees what there is at an address where nothing is', async () => {
    const { context, page } = await openAs('bob', item.public_endpoint);
    expect(await heading(page)).toBe('There is no workbench here');
    await photograph(page, 'guard-foreign');
    const cookie = await cookiesOf(context, item.public_endpoint);
    const bodies = await Promise.all(
      [item.public_endpoint, item.public_endpoint.replace(/[^/]+$/, 'no-such-workbench')].map(async (url) => {
        const response = await fetch(url, { headers: { cookie } });
        return [response.status, await response.text()];
      }),
    );
    expect(bodies[0]).toEqual(bodies[1]);
    expect(await socketHeaders(item.public_endpoint, { cookie })).toBe(503);
    await context.close();
  });

  test('a script without a session is told so, and a forged or stale one helps nobody', async () => {
    const attempts: Record<string, string>[] = [
      {},
      { cookie: '__Host-workbench-session=abc' },
      { authorization: 'token of-jupyter' },
      { authorization: 'Bearer abc' },
      { 'workbench-pass': 'abc', 'x-forwarded-uri': '/project/other', 'x-original-url': 'http://x/project/other' },
    ];
    for (const headers of attempts) {
      const response = await fetch(item.public_endpoint, { headers, redirect: 'manual' });
      expect([response.status, response.headers.get('workbench-status')]).toEqual([401, 'refused']);
      expect(await socketHeaders(item.public_endpoint, headers)).toBe(401);
    }
  });

  test('another of her workbenches shows its state to her, and to nobody else', async () => {
    const alice = await as('alice');
    const { workbench_id: id, public_endpoint: url } = await alice.create();
    await alice.stop(id);
    await eventually(
      'stopped',
      async () => (await as('alice')).get(id),
      ({ status }) => status === 'stopped',
    );
    await alices.page.goto(url);
    expect(await heading(alices.page)).toBe('This workbench is stopped');
    const bobs = await openAs('bob', url);
    expect(await heading(bobs.page)).toBe('There is no workbench here');
    await bobs.context.close();
  });

  test('she logs out, and the next page asks again', async () => {
    // The one that is open shows a state, and asks anew by itself: that would get in the way of where it is sent.
    const page = await alices.context.newPage();
    await page.goto(`${new URL(item.public_endpoint).origin}/project/-/logout`);
    expect(await heading(page)).toBe('You are logged out');
    const names = (await alices.context.cookies(item.public_endpoint)).map(({ name }) => name);
    expect(names).not.toContain('__Host-workbench-session');
    await alices.context.close();
  });
});

test('what is authorised is what is routed, for hundreds of addresses that could be read in two ways', async () => {
  const apply = (name: string, owner: string) =>
    world.cluster.kubectl(
      ['apply', '-n', world.namespace, '-f', '-'],
      JSON.stringify({ apiVersion: 'workbench.h1st.ai/v1', kind: 'Workbench', metadata: { name }, spec: { owner } }),
    );
  // One name begins with the other.
  await Promise.all([apply('aa', 'alice'), apply('aab', 'bob')]);
  for (const [name, user] of [
    ['aa', 'alice'],
    ['aab', 'bob'],
  ] as const)
    await eventually(
      'running',
      async () => (await as(user)).get(name),
      ({ status }) => status === 'running',
    );
  const origin = world.cluster.ingressUrl!;
  const disagreements: string[] = [];
  let opened = 0;
  // Each is authorised for one of the two only: whatever the other answers was authorised as one and routed as the other.
  for (const [user, own, other] of [
    ['alice', 'aa', 'aab'],
    ['bob', 'aab', 'aa'],
  ] as const) {
    const authorization = `Bearer ${await world.keycloak.token(user)}`;
    for (const path of confusingPaths(own, other)) {
      const { status, headers } = await send(origin, path, { authorization });
      const pod = headers['x-workbench-id'];
      if (pod !== undefined) opened++;
      // Traefik tidies some of them up before it asks and routes; where the guard reads the raw one, both mean the same.
      const place = placeOf(path, '/project/');
      const isAgreed = pod === undefined || (pod === own && (!place || ('id' in place && place.id === pod)));
      if (!isAgreed || (status >= 500 && status !== 503)) disagreements.push(`${user} ${path}: ${status}, ${pod}`);
    }
  }
  expect(confusingPaths('aa', 'aab').length).toBeGreaterThanOrEqual(500);
  process.stderr.write(`addresses that could be read in two ways: ${opened} opened what they were authorised for\n`);
  expect(disagreements).toEqual([]);
  expect(opened).toBeGreaterThan(5);
});

test('a guard that nobody asks is noticed: the workbench is not called running', async () => {
  const { OIDC_CLIENT_ID, WB_GUARD_KEY_FILE } = world.guard;
  await world.end();
  await world.start({ OIDC_CLIENT_ID: '', WB_GUARD_KEY_FILE: '', INGRESS_ANNOTATIONS: '{}' });
  const { workbench_id: id } = await runningFor('alice');
  const look = async () => (await as('alice')).get(id);
  // It runs when the guard comes, and nobody has told Traefik.
  await world.end();
  await world.start({ OIDC_CLIENT_ID, WB_GUARD_KEY_FILE });
  const failed = await eventually('failed', look, ({ status }) => status === 'failed');
  expect(failed).toMatchObject({
    status_reason: 'Unguarded',
    status_message: expect.stringContaining('opens for everybody'),
  });
  await world.end();
  await world.start({ INGRESS_ANNOTATIONS: GUARD_ANNOTATIONS });
  await eventually('running', look, ({ status }) => status === 'running');
});

describe('what is shared', () => {
  const share = async (permission: string | null) =>
    (await as('alice')).call('POST', `/${item.workbench_id}/shares`, { user_id: 'bob', permission });

  test('does not open where all workbenches have one origin', async () => {
    expect((await share('read-write')).status).toBe(200);
    const { context, page } = await openAs('bob', item.public_endpoint);
    expect(await page.locator('body').innerText()).toContain('SharingNeedsHostMode');
    await context.close();
  });

  test('opens where each has its own, as long as it is shared and as far', async () => {
    await world.end();
    await world.start(world.inHosts);
    const look = async () => (await as('alice')).get(item.workbench_id);
    const { public_endpoint: url } = await eventually('running', look, ({ status }) => status === 'running');
    expect(new URL(url).hostname).toBe(`${item.workbench_id}.wb.localhost`);
    const alices = await openAs('alice', url);
    expect(await alices.page.locator('dl').innerText()).toContain(item.workbench_id);
    const { context, page } = await openAs('bob', url);
    expect(await page.locator('dl').innerText()).toContain(item.workbench_id);

    const fetched = (method: string) =>
      page.evaluate(async (how) => (await fetch('version', { method: how })).status, method);
    await page.goto(`${url}/`);
    expect([await fetched('GET'), await fetched('POST')]).toEqual([200, 404]);
    await share('read');
    await eventually(
      'read only',
      () => fetched('POST'),
      (status) => status === 403,
    );
    expect(await fetched('GET')).toBe(200);
    await share(null);
    await eventually(
      'closed',
      () => fetched('GET'),
      (status) => status === 503,
    );
    await page.reload();
    expect(await heading(page)).toBe('There is no workbench here');

    // A page of another workbench cannot act here in her name, though the site is the same.
    const other = url.replace(item.workbench_id, 'another');
    const cookie = await cookiesOf(alices.context, url);
    const { port } = new URL(url);
    const asOther = await send(`http://127.0.0.1:${port}`, new URL(`${url}/version`).pathname, {
      host: new URL(url).host,
      cookie,
      origin: new URL(other).origin,
    });
    expect(asOther.status).toBe(403);
    await Promise.all([context.close(), alices.context.close()]);
  });
});
