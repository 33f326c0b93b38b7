/** What each call of the REST facade answers to whom, and who may come with what. */
import { UnsecuredJWT, generateKeyPair } from 'jose';
import type { Provider } from '../provider.ts';

/** What somebody is to one workbench of alice's. */
export type Standing = 'owner' | 'writer' | 'reader' | 'other';

/** What each is answered, by what they are to it. */
export type Row = Record<Standing, number> & { body?: object };
const everybody = (status: number): Row => ({ owner: status, writer: status, reader: status, other: status });
const owners: Row = { owner: 200, writer: 403, reader: 403, other: 404 };
const operators: Row = { ...owners, writer: 200 };

export const ROWS: Record<string, Row> = {
  'GET /workbenches': everybody(200),
  'POST /workbenches': { ...everybody(201), body: {} },
  'GET /workbenches/{id}': { ...everybody(200), other: 404 },
  'PATCH /workbenches/{id}': { ...owners, body: { workbench_name: 'renamed' } },
  'DELETE /workbenches/{id}': owners,
  'GET /workbenches/{id}/events': { ...everybody(200), other: 404 },
  'POST /workbenches/{id}/start': operators,
  'POST /workbenches/{id}/stop': operators,
  'GET /workbenches/{id}/shares': owners,
  'POST /workbenches/{id}/shares': { ...owners, body: { user_id: 'eve', permission: 'read-write' } },
  'GET /volumes': everybody(200),
  // A share is of a workbench, and not of the files behind it.
  'GET /volumes/{id}': { ...everybody(404), owner: 200 },
  'DELETE /volumes/{id}': { ...everybody(404), owner: 200 },
};

export interface Identity {
  /** The whole header, such as "Bearer …". */
  authorization?: string;
  /** Of `user_id`, as it stands in the URL. */
  query?: string;
  /** Whom the call is for, or the one answer that there is to any call. */
  is: Standing | { status: number; reason: string };
}

const past = (seconds: number) => Math.floor(Date.now() / 1_000) - seconds;
const UNKNOWN = { status: 401, reason: 'Unauthorized' };
const INVALID = { status: 401, reason: 'InvalidToken' };
const OTHER_USER = { status: 403, reason: 'OtherUser' };
const NO_USER = { status: 400, reason: 'Invalid' };

/** With an OpenID provider. */
export async function identitiesOf(provider: Provider): Promise<Record<string, Identity>> {
  const { token, sign, publicKey } = provider;
  const bearer = async (signed: Promise<string> | string) => `Bearer ${await signed}`;
  const alice = { sub: 'alice' };
  const claims = { ...alice, typ: 'Bearer', iss: provider.env.OIDC_ISSUER!, aud: provider.env.OIDC_AUDIENCE! };
  const role = (client: string, sub = 'root') => sign({ sub, resource_access: { [client]: { roles: ['admin'] } } });
  const stranger = await generateKeyPair('RS256');
  const secret = new TextEncoder().encode(publicKey);
  const jwk = { jwk: { kty: 'RSA', e: 'AQAB', n: 'AQAB' } };
  return {
    nobody: { is: UNKNOWN },
    'nobody, who names the owner': { query: 'user_id=alice', is: UNKNOWN },
    'a password': { authorization: `Basic ${btoa('alice:secret-of-alice')}`, is: UNKNOWN },
    'a token without a scheme': { authorization: await token('alice'), is: UNKNOWN },
    'two tokens at once': { authorization: `Bearer ${await token('alice')} ${await token('bob')}`, is: UNKNOWN },
    'a static key': { authorization: 'Bearer the-key-of-another-portal', is: INVALID },
    'an expired token': { authorization: await bearer(sign({ ...alice, exp: past(60) })), is: INVALID },
    'a token without an end': { authorization: await bearer(sign({ ...alice, exp: undefined } as never)), is: INVALID },
    'a token of tomorrow': { authorization: await bearer(sign({ ...alice, nbf: past(-86_400) })), is: INVALID },
    'another issuer': { authorization: await bearer(sign({ ...alice, iss: 'https://evil.example' })), is: INVALID },
    'another audience': { authorization: await bearer(sign({ ...alice, aud: 'another-api' })), is: INVALID },
    'an ID token': { authorization: await bearer(sign({ ...alice, typ: 'ID' })), is: INVALID },
    'a refresh token': { authorization: await bearer(sign({ ...alice, typ: 'Refresh' })), is: INVALID },
    'a token of nobody': { authorization: await bearer(sign({})), is: INVALID },
    'a token without a signature': {
      authorization: await bearer(new UnsecuredJWT(claims).setExpirationTime('1h').encode()),
      is: INVALID,
    },
    'a signature that was taken off': {
      authorization: (await bearer(token('alice'))).replace(/[^.]*$/, ''),
      is: INVALID,
    },
    'the public key as a secret': { authorization: await bearer(sign(alice, { alg: 'HS256' }, secret)), is: INVALID },
    'a key that nobody published': { authorization: await bearer(sign(alice, {}, stranger.privateKey)), is: INVALID },
    'a key that the token brings along': {
      authorization: await bearer(sign(alice, jwk, stranger.privateKey)),
      is: INVALID,
    },
    'the owner': { authorization: await bearer(token('alice')), is: 'owner' },
    'the owner, by name': { authorization: await bearer(token('alice')), query: 'user_id=alice', is: 'owner' },
    'an administrator, for the owner': {
      authorization: await bearer(token('root', true)),
      query: 'user_id=alice',
      is: 'owner',
    },
    'who may read and write': { authorization: await bearer(token('walter')), is: 'writer' },
    'who may read': { authorization: await bearer(token('rita')), is: 'reader' },
    'an administrator, for who may read': {
      authorization: await bearer(token('root', true)),
      query: 'user_id=rita',
      is: 'reader',
    },
    'another user': { authorization: await bearer(token('mallory')), is: 'other' },
    'somebody with nearly the same name': { authorization: await bearer(token('Alice')), is: 'other' },
    'an administrator, for nobody': { authorization: await bearer(token('root', true)), is: 'other' },
    'another user, who names the owner': {
      authorization: await bearer(token('mallory')),
      query: 'user_id=alice',
      is: OTHER_USER,
    },
    "another client's administrator": {
      authorization: await bearer(role('another')),
      query: 'user_id=alice',
      is: OTHER_USER,
    },
    "an inherited client's administrator": {
      authorization: await bearer(role('__proto__')),
      query: 'user_id=alice',
      is: OTHER_USER,
    },
    'who names nobody': { authorization: await bearer(token('alice')), query: 'user_id=', is: NO_USER },
    'who names two': {
      authorization: await bearer(token('root', true)),
      query: 'user_id=alice&user_id=bob',
      is: NO_USER,
    },
  };
}

/** With a key that a portal has. */
export const identitiesByKey = (key: string): Record<string, Identity> => ({
  nobody: { query: 'user_id=alice', is: UNKNOWN },
  'another key': { authorization: `Bearer ${key.slice(0, -1)}X`, query: 'user_id=alice', is: INVALID },
  'a part of the key': { authorization: `Bearer ${key.slice(0, -1)}`, query: 'user_id=alice', is: INVALID },
  'the key with more behind it': { authorization: `Bearer ${key}a`, query: 'user_id=alice', is: INVALID },
  'the key, for nobody': { authorization: `Bearer ${key}`, is: NO_USER },
  'the key, for the owner': { authorization: `Bearer ${key}`, query: 'user_id=alice', is: 'owner' },
  'the key, for who may read': { authorization: `Bearer ${key}`, query: 'user_id=rita', is: 'reader' },
  'the key, for another user': { authorization: `Bearer ${key}`, query: 'user_id=mallory', is: 'other' },
});
