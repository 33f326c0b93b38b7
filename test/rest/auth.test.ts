import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import type { GenerateKeyPairResult, JWTPayload } from 'jose';
import { byKey, byToken, trusting } from '../../src/rest/auth.ts';
import type { Identity } from '../../src/rest/auth.ts';
import { provider, sharedSecret } from '../../src/rest/tokens.ts';
import type { ProviderOptions } from '../../src/rest/tokens.ts';

const callerOf = (identity: Identity, token?: string, query: Record<string, unknown> = {}) =>
  identity.callerOf({ headers: token === undefined ? {} : { authorization: `Bearer ${token}` }, query });
const ask = async (...asked: Parameters<typeof callerOf>) => (await callerOf(...asked)).user;
const refused = (status: number, reason: string) => expect.objectContaining({ name: 'Problem', status, reason });

describe('without anything configured', () => {
  test.each<[what: string, query: Record<string, unknown>, ok: boolean]>([
    ['a user', { user_id: 'alice' }, true],
    ['no user', {}, false],
    ['an empty one', { user_id: '' }, false],
    ['two', { user_id: ['alice', 'bob'] }, false],
    ['one with a line break', { user_id: 'a\nb' }, false],
  ])('user_id is believed: %s', async (_what, query, ok) => {
    if (ok) expect(await trusting.callerOf({ headers: {}, query })).toEqual({ user: 'alice', isAdmin: false });
    else await expect(trusting.callerOf({ headers: {}, query })).rejects.toEqual(refused(400, 'Invalid'));
  });
});

describe('with a key', () => {
  const authenticate = byKey('the-key-of-the-portal');
  const asked = async (token?: string, query: Record<string, unknown> = { user_id: 'bob' }) =>
    ask(authenticate, token, query);

  test('whoever has it speaks for any user', async () => {
    expect(await asked('the-key-of-the-portal')).toBe('bob');
    await expect(asked('the-key-of-the-portal', {})).rejects.toEqual(refused(400, 'Invalid'));
  });

  test.each<[what: string, token: string | undefined, reason: string]>([
    ['nobody', undefined, 'Unauthorized'],
    ['another key', 'the-key-of-the-portam', 'InvalidToken'],
    ['a part of it', 'the-key', 'InvalidToken'],
    ['nothing', '', 'Unauthorized'],
  ])('%s is refused', async (_what, token, reason) => {
    await expect(asked(token)).rejects.toEqual(refused(401, reason));
  });
});

describe('with a shared secret', () => {
  const SECRET = 'x'.repeat(32);
  const authenticate = byToken(sharedSecret(SECRET, 'sub'));
  const sign = (claims: JWTPayload, secret = SECRET, alg = 'HS256') =>
    new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret));
  const soon = () => Math.floor(Date.now() / 1000) + 60;

  test('the token says who', async () => {
    expect(await ask(authenticate, await sign({ sub: 'alice', exp: soon() }))).toBe('alice');
  });

  test.each<[what: string, token: () => Promise<string> | string]>([
    ['one of another secret', () => sign({ sub: 'alice', exp: soon() }, 'y'.repeat(32))],
    ['one without an end', () => sign({ sub: 'alice' })],
    ['one that has ended', () => sign({ sub: 'alice', exp: soon() - 120 })],
    ['one of another algorithm', () => sign({ sub: 'alice', exp: soon() }, 'x'.repeat(64), 'HS512')],
    ['one without a signature', () => new UnsecuredJWT({ sub: 'alice', exp: soon() }).encode()],
    ['one of nobody', () => sign({ exp: soon() })],
    ['no token at all', () => 'a.b.c'],
  ])('%s is refused', async (_what, token) => {
    await expect(ask(authenticate, await token())).rejects.toEqual(refused(401, 'InvalidToken'));
  });
});

describe('with an OpenID provider', () => {
  const AUDIENCE = 'workbenches';
  let server: Server;
  let issuer: string;
  let published: object[] = [];
  let fetched = 0;
  let isDown = false;
  let pair: GenerateKeyPairResult;
  let authenticate: Identity;

  const publish = async (kid: string, { publicKey }: GenerateKeyPairResult) =>
    published.push({ ...(await exportJWK(publicKey)), kid, use: 'sig' });
  const of = (more: Partial<ProviderOptions> = {}, now?: () => number) =>
    byToken(provider({ issuer, audience: AUDIENCE, userClaim: 'sub', adminRole: 'admin', ...more }, now));

  beforeAll(async () => {
    server = createServer(({ url }, response) => {
      if (isDown) return void response.writeHead(500).end();
      if (url === '/keys') fetched += 1;
      const answer = url === '/keys' ? { keys: published } : { issuer, jwks_uri: `${issuer}/keys` };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    pair = await generateKeyPair('RS256');
    await publish('one', pair);
    authenticate = of();
  });
  afterAll(() => void server.close());

  interface Made {
    claims?: JWTPayload;
    header?: { alg?: string; kid?: string; typ?: string };
    key?: GenerateKeyPairResult;
  }
  const token = ({ claims = {}, header = {}, key = pair }: Made = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const all = { sub: 'alice', iss: issuer, aud: AUDIENCE, exp: now + 60, typ: 'Bearer', ...claims };
    return new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key.privateKey);
  };
  const past = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

  test('the subject of an access token is the user, and beside it the same user_id or none', async () => {
    expect(await ask(authenticate, await token())).toBe('alice');
    expect(await ask(authenticate, await token(), { user_id: 'alice' })).toBe('alice');
    await expect(ask(authenticate, await token(), { user_id: 'bob' })).rejects.toEqual(refused(403, 'OtherUser'));
  });

  test('an administrator, by a role that our own client gives, speaks for others', async () => {
    const admin = (client: string, roles: unknown = ['admin']) =>
      token({ claims: { resource_access: { [client]: { roles } } } });
    expect(await ask(authenticate, await admin(AUDIENCE), { user_id: 'bob' })).toBe('bob');
    expect(await callerOf(authenticate, await admin(AUDIENCE))).toEqual({ user: 'alice', isAdmin: true });
    expect(await callerOf(authenticate, await admin(AUDIENCE), { user_id: 'bob' })).toMatchObject({ isAdmin: true });
    expect(await callerOf(authenticate, await token())).toEqual({ user: 'alice', isAdmin: false });
    for (const other of [
      await admin('another'),
      await admin(AUDIENCE, ['user']),
      await admin(AUDIENCE, 'admin'),
      await admin('__proto__'),
    ])
      await expect(ask(authenticate, other, { user_id: 'bob' })).rejects.toEqual(refused(403, 'OtherUser'));
    const nobody = byToken(provider({ issuer, audience: AUDIENCE, userClaim: 'sub' }));
    await expect(ask(nobody, await admin(AUDIENCE), { user_id: 'bob' })).rejects.toEqual(refused(403, 'OtherUser'));
  });

  test('another claim may name the user', async () => {
    const named = of({ userClaim: 'preferred_username' });
    expect(await ask(named, await token({ claims: { preferred_username: 'Alice' } }))).toBe('Alice');
    await expect(ask(named, await token())).rejects.toEqual(refused(401, 'InvalidToken'));
  });

  test('a header that says access token does as well, and a clock that is half a minute off', async () => {
    expect(
      await ask(authenticate, await token({ header: { typ: 'at+jwt' }, claims: { typ: undefined } as never })),
    ).toBe('alice');
    expect(await ask(authenticate, await token({ claims: { exp: past(20) } }))).toBe('alice');
  });

  test.each<[what: string, made: () => Promise<string> | string]>([
    ['an expired one', () => token({ claims: { exp: past(40) } })],
    ['one without an end', () => token({ claims: { exp: undefined } as never })],
    ['one that is not valid yet', () => token({ claims: { nbf: past(-90) } })],
    ['one of another issuer', () => token({ claims: { iss: 'http://elsewhere.example' } })],
    ['one of the issuer with a slash more', () => token({ claims: { iss: `${issuer}/` } })],
    ['one for another API', () => token({ claims: { aud: 'another' } })],
    ['one for no API', () => token({ claims: { aud: undefined } as never })],
    ['an ID token', () => token({ claims: { typ: 'ID' } })],
    ['a refresh token', () => token({ claims: { typ: 'Refresh' } })],
    ['one that does not say what it is', () => token({ claims: { typ: undefined } as never })],
    ['one of a key that nobody published', async () => token({ key: await generateKeyPair('RS256') })],
    [
      'one without a signature',
      () => new UnsecuredJWT({ sub: 'alice', iss: issuer, aud: AUDIENCE, typ: 'Bearer', exp: past(-60) }).encode(),
    ],
    [
      'one that is signed with the public key as if it were a secret',
      async () =>
        new SignJWT({ sub: 'alice', iss: issuer, aud: AUDIENCE, typ: 'Bearer', exp: past(-60) })
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .sign(new TextEncoder().encode(await exportSPKI(pair.publicKey))),
    ],
    ['one of a user that cannot be printed', () => token({ claims: { sub: 'a\u0000b' } })],
    ['one of a user with half a character', () => token({ claims: { sub: 'a\ud800' } })],
    ['one of no user', () => token({ claims: { sub: undefined } as never })],
    ['no token at all', () => 'x'],
  ])('%s is refused', async (_what, made) => {
    await expect(ask(authenticate, await made())).rejects.toEqual(refused(401, 'InvalidToken'));
  });

  test.each(['RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'])('a provider may sign with %s', async (alg) => {
    const key = await generateKeyPair(alg);
    await publish(alg, key);
    expect(await ask(of(), await token({ key, header: { alg, kid: alg } }))).toBe('alice');
  });

  test('a token of keys that came since is good for who asks first then; unknown keys fetch nothing again and again', async () => {
    const fresh = of();
    await ask(fresh, await token());
    const before = fetched;
    const next = await generateKeyPair('RS256');
    for (let i = 0; i < 5; i++)
      await expect(ask(fresh, await token({ key: next, header: { kid: 'two' } }))).rejects.toEqual(
        refused(401, 'InvalidToken'),
      );
    expect(fetched - before).toBeLessThanOrEqual(1);
    await publish('two', next);
    expect(await ask(of(), await token({ key: next, header: { kid: 'two' } }))).toBe('alice');
  });

  test('a provider that is away is nobody’s fault, and is asked again; one that says it is another is not believed', async () => {
    let clock = 0;
    const late = of({}, () => clock);
    isDown = true;
    await expect(ask(late, await token())).rejects.toEqual(refused(503, 'IdentityUnavailable'));
    isDown = false;
    clock += 5_000;
    expect(await ask(late, await token())).toBe('alice');
    const elsewhere = of({ issuer: `${issuer}/realm` });
    await expect(ask(elsewhere, await token())).rejects.toEqual(refused(503, 'IdentityUnavailable'));
    const direct = of({ jwksUrl: `${issuer}/keys` });
    expect(await ask(direct, await token())).toBe('alice');
  });
});
