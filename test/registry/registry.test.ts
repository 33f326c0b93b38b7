/** A registry as the controller meets it, at the HTTP edge; a real one is asked in test/e2e. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { Registry } from '../../src/registry/registry.ts';
import type { RegistryOptions } from '../../src/registry/registry.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const found = { 'docker-content-digest': DIGEST };
const BEARER = { 'www-authenticate': 'Bearer realm="https://auth.example/token?x=1",service="the registry"' };

let registry: Registry | undefined;
let strangers: string[] = [];
const note = ({ url }: Request) => strangers.push(url);

beforeEach(() => {
  strangers = [];
  nock.disableNetConnect();
  nock.emitter.on('no match', note);
});
afterEach(async () => {
  nock.emitter.off('no match', note);
  await registry?.close();
  const unused = nock.pendingMocks();
  nock.cleanAll();
  nock.enableNetConnect();
  expect([strangers, unused]).toEqual([[], []]);
});

// The next file of this worker has a nock of its own.
afterAll(() => nock.restore());

const ask = (image: string, options: RegistryOptions = {}, secrets: string[] = []) => {
  registry = new Registry(options);
  return registry.digest(image, secrets);
};
const manifest = (reference = 'latest') => `/v2/team/lab/manifests/${reference}`;

test.each([
  ['registry.example/team/lab', 'https://registry.example', manifest()],
  ['registry.example/team/lab:v1', 'https://registry.example', manifest('v1')],
  ['registry.example:5000/team/lab:v1', 'https://registry.example:5000', manifest('v1')],
  ['localhost/team/lab', 'https://localhost', manifest()],
  ['team/lab:v1', 'https://registry-1.docker.io', manifest('v1')],
  ['lab', 'https://registry-1.docker.io', '/v2/library/lab/manifests/latest'],
  ['docker.io/lab', 'https://registry-1.docker.io', '/v2/library/lab/manifests/latest'],
  [`registry.example/team/lab:v1@${DIGEST}`, 'https://registry.example', manifest(DIGEST)],
])('%s is asked for where a puller would ask, and indexes count', async (image, origin, path) => {
  nock(origin)
    .matchHeader('accept', /oci\.image\.index.*manifest\.list.*oci\.image\.manifest.*distribution\.manifest\.v2/)
    .head(path)
    .reply(200, undefined, found);
  expect(await ask(image)).toBe(DIGEST);
});

test('a registry that is reached elsewhere is asked there', async () => {
  nock('http://10.0.0.9:5000').head(manifest()).reply(200, undefined, found);
  const addresses = { 'registry.local:5000': 'http://10.0.0.9:5000' };
  expect(await ask('registry.local:5000/team/lab', { addresses })).toBe(DIGEST);
});

describe('one that wants to know who asks', () => {
  const REFUSED = 'https://registry.example';
  const refuses = (challenge: Record<string, string>) =>
    nock(REFUSED).head(manifest()).reply(401, undefined, challenge);
  const accepts = (authorization: string) =>
    nock(REFUSED).matchHeader('authorization', authorization).head(manifest()).reply(200, undefined, found);
  const credentials = (secrets: readonly string[], host: string) =>
    Promise.resolve({ username: secrets.join('+'), password: `of ${host}` });
  const BASIC = `Basic ${Buffer.from('one+two:of registry.example').toString('base64')}`;
  const scope = { x: '1', service: 'the registry', scope: 'repository:team/lab:pull' };

  test.each([{ token: 'T' }, { access_token: 'T' }])('gets a token for everybody: %j', async (body) => {
    refuses(BEARER);
    nock('https://auth.example', { badheaders: ['authorization'] })
      .get('/token')
      .query(scope)
      .reply(200, body);
    accepts('Bearer T');
    expect(await ask('registry.example/team/lab', { credentials })).toBe(DIGEST);
  });

  test('gets a token for the password of a Secret', async () => {
    refuses(BEARER);
    nock('https://auth.example')
      .matchHeader('authorization', BASIC)
      .get('/token')
      .query(scope)
      .reply(200, { token: 'T' });
    accepts('Bearer T');
    expect(await ask('registry.example/team/lab', { credentials }, ['one', 'two'])).toBe(DIGEST);
  });

  test('gets the password of a Secret', async () => {
    refuses({ 'www-authenticate': 'Basic realm="x"' });
    accepts(BASIC);
    expect(await ask('registry.example/team/lab', { credentials }, ['one', 'two'])).toBe(DIGEST);
  });

  test('gets no password over a connection that is not encrypted, unless the administrator has named that place', async () => {
    const clear = { 'www-authenticate': 'Bearer realm="http://auth.example/token"' };
    refuses(clear);
    await expect(ask('registry.example/team/lab', { credentials }, ['one', 'two'])).rejects.toThrow(/not encrypted/);
    await registry!.close();
    refuses(clear);
    nock('http://auth.example').get('/token').query(true).reply(200, { token: 'T' });
    accepts('Bearer T');
    const addresses = { other: 'http://auth.example' };
    expect(await ask('registry.example/team/lab', { credentials, addresses }, ['one', 'two'])).toBe(DIGEST);
  });

  test.each<[what: string, challenge: Record<string, string>, why: RegExp]>([
    ['a password that is not there', { 'www-authenticate': 'Basic realm="x"' }, /asks for a password/],
    ['something unheard of', { 'www-authenticate': 'Negotiate' }, /nothing that is known here/],
    ['tokens from nowhere', { 'www-authenticate': 'Bearer service="x"' }, /no place that gives tokens/],
  ])('%s is an answer, not a silence', async (_what, challenge, message) => {
    refuses(challenge);
    await expect(ask('registry.example/team/lab')).rejects.toMatchObject({
      message: expect.stringMatching(message),
      isSilent: false,
    });
  });

  test.each<[what: string, status: number, body: string, why: RegExp]>([
    ['a refusal', 403, '', /auth\.example gives no token: 403/],
    ['an answer without a token', 200, '{}', /gives no token/],
    ['an answer that is none', 200, '<html>', /gives no token/],
  ])('%s where the token should come from', async (_what, status, body, message) => {
    refuses(BEARER);
    nock('https://auth.example').get('/token').query(true).reply(status, body);
    await expect(ask('registry.example/team/lab')).rejects.toMatchObject({
      message: expect.stringMatching(message),
      isSilent: false,
    });
  });

  test('a Secret that may not be read is told without its name being tried elsewhere', async () => {
    refuses(BEARER);
    const forbidden = () => Promise.reject(new Error('secrets "one" is forbidden'));
    await expect(ask('registry.example/team/lab', { credentials: forbidden }, ['one'])).rejects.toMatchObject({
      message: 'its password cannot be read: secrets "one" is forbidden',
      isSilent: false,
    });
  });
});

test.each<[what: string, status: number, headers: Record<string, string>, why: RegExp]>([
  ['no such tag', 404, {}, /answered 404 for "registry\.example\/team\/lab"/],
  ['too many questions', 429, { 'retry-after': '60' }, /answered 429/],
  ['no digest', 200, {}, /names no digest/],
  ['a digest that is none', 200, { 'docker-content-digest': 'sha256:<script>' }, /names no digest/],
  ['another place', 307, { location: 'https://elsewhere.example/' }, /answered 307/],
])('%s is an answer, not a silence', async (_what, status, headers, message) => {
  nock('https://registry.example').head(manifest()).reply(status, undefined, headers);
  await expect(ask('registry.example/team/lab')).rejects.toMatchObject({
    message: expect.stringMatching(message),
    isSilent: false,
  });
});

test.each<[what: string, broken: (scope: nock.Interceptor) => unknown]>([
  [
    'one that is not there',
    (scope) => scope.replyWithError(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
  ],
  ['one that does not answer in time', (scope) => scope.delay(1_000).reply(200, undefined, found)],
])('%s is silent', async (_what, broken) => {
  broken(nock('https://registry.example').head(manifest()));
  await expect(ask('registry.example/team/lab', { timeoutMs: 100 })).rejects.toMatchObject({
    name: 'RegistryError',
    isSilent: true,
  });
});
