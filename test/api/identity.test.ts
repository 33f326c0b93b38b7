/** Who asks, by tokens of a real Keycloak; and what an outage of it, a new key and another way to be known do. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT, decodeJwt, generateKeyPair } from 'jose';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { freePorts } from '../cluster/machine/freePorts.ts';
import { client } from '../client.ts';
import type { Answer } from '../client.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { startKeycloak } from '../keycloak/keycloak.ts';
import type { Keycloak } from '../keycloak/keycloak.ts';

const AUDIENCE = 'workbench-api';
/** Which the controller allows between two clocks. */
const SKEW_MS = 30_000;

let cluster: Cluster;
let installation: Installation;
let keycloak: Keycloak;
/** What was answered before there was a Keycloak. */
let early: Answer;
/** Good for a second, and asked for so early that the last test need not wait. */
let brief: string;
/** Signed before the keys were changed. */
let older: string;
/** All tokens that were sent. */
const sent = new Set<string>();

beforeAll(async () => {
  const { port } = await freePorts(['port'], ['127.0.0.1']);
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster, { env: provider(`http://127.0.0.1:${port}/realms/workbenches`) });
  early = await asked(await madeUp());
  keycloak = await startKeycloak({ port });
}, 900_000);

afterAll(async () => {
  await installation?.end();
  await Promise.all([keycloak?.stop(), cluster?.stop()]);
});

function withToken(token: string, user?: string) {
  sent.add(token);
  return client(installation.rest, user, token);
}
const as = async (person: string, user?: string) => withToken(await keycloak.token(person), user);
const asked = (token: string) => withToken(token).call('GET');
const provider = (issuer: string) => ({ OIDC_ISSUER: issuer, OIDC_AUDIENCE: AUDIENCE, OIDC_ADMIN_ROLE: 'admin' });
const restart = async (env: Record<string, string>) => {
  await installation.end();
  await installation.start(env);
};

/** By a key of nobody. */
async function madeUp(): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256');
  return new SignJWT({ sub: 'alice', aud: AUDIENCE, typ: 'Bearer' })
    .setProtectedHeader({ alg: 'RS256', kid: 'made-up' })
    .setExpirationTime('5m')
    .sign(privateKey);
}

const refused = (status: number, reason: string) => ({ status, body: { success: false, error: { reason } } });
const fine = { status: 200, body: { success: true } };
const unavailable = refused(503, 'IdentityUnavailable');

test('a controller that was there before its provider says so, and needs no restart when that comes', async () => {
  expect(early).toMatchObject(unavailable);
  expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await asked(await keycloak.token('alice'))).toMatchObject(fine);
});

test('a token of a new key is good at once, and those of the older one still are', async () => {
  older = await keycloak.token('alice');
  const { retire } = await keycloak.rotateKeys();
  expect(await asked(await keycloak.token('alice'))).toMatchObject(fine);
  expect(await asked(older)).toMatchObject(fine);
  await retire();
  brief = await keycloak.token('alice', 'workbench-brief');
});

describe('a token says who asks', () => {
  let id: string;

  test('what alice makes is hers by the subject of her token, which is no name and no address', async () => {
    const { call, create, until } = await as('alice');
    const item = await create();
    id = item.workbench_id;
    expect(item.user_id).toBe(keycloak.subject('alice'));
    await until(id, 'running');
    expect((await call('GET')).body.items).toMatchObject([{ workbench_id: id }]);
  });

  test('bob does not find it, and may not say that he is alice', async () => {
    const himself = await as('bob');
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/stop'],
      ['PATCH', ''],
      ['DELETE', ''],
    ] as const)
      expect(await himself.call(method, `/${id}${path}`, method === 'PATCH' ? {} : undefined)).toMatchObject(
        refused(404, 'NotFound'),
      );
    expect((await himself.call('GET')).body.items).toEqual([]);
    const asAlice = await as('bob', keycloak.subject('alice'));
    expect(await asAlice.call('GET', `/${id}`)).toMatchObject(refused(403, 'OtherUser'));
    expect(await asAlice.call('POST')).toMatchObject(refused(403, 'OtherUser'));
    expect(await (await as('bob', keycloak.subject('bob'))).call('GET')).toMatchObject(fine);
  });

  test('carol, an administrator, sees it in the name of alice, and in her own name only her own', async () => {
    const inHerName = await as('carol', keycloak.subject('alice'));
    expect(await inHerName.get(id)).toMatchObject({ workbench_id: id, user_id: keycloak.subject('alice') });
    expect(await (await as('carol')).call('GET', `/${id}`)).toMatchObject(refused(404, 'NotFound'));
  });

  test.each<[what: string, token: () => Promise<string>]>([
    ['an ID token', () => keycloak.idToken('alice')],
    ['a token of a client without our audience', () => keycloak.token('alice', 'wiki')],
    ['an administrator’s token of such a client', () => keycloak.token('carol', 'wiki')],
    ['a token that somebody else signed', madeUp],
  ])('%s is refused', async (_what, token) => {
    const answer = await asked(await token());
    expect(answer).toMatchObject(refused(401, 'InvalidToken'));
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
  });

  test('another client with “Full scope allowed” is given the role of administrators, as the README warns', async () => {
    expect(await asked(await keycloak.token('alice', 'wiki-full'))).toMatchObject(refused(401, 'InvalidToken'));
    expect(await asked(await keycloak.token('carol', 'wiki-full'))).toMatchObject(fine);
  });

  test('whoever is disabled gets no further token, and the last one is good until its end', async () => {
    const last = await keycloak.token('bob');
    await keycloak.disable('bob');
    await expect(keycloak.token('bob')).rejects.toThrow('Account disabled');
    expect(await asked(last)).toMatchObject(fine);
  });
});

describe('from one way to be known to another', () => {
  let id: string;
  let known: string;

  test('without a provider old clients go on as ever', async () => {
    await restart({ OIDC_ISSUER: '', OIDC_AUDIENCE: '', OIDC_ADMIN_ROLE: '' });
    const old = client(installation.rest, 'alice');
    id = (await old.create()).workbench_id;
    expect((await old.call('GET')).body.items).toMatchObject([{ workbench_id: id, user_id: 'alice' }]);
  });

  test('a provider that comes later, with the claim that old clients sent, gives everybody what they had', async () => {
    await restart({ ...provider(keycloak.issuer()), OIDC_USER_CLAIM: 'preferred_username' });
    known = await keycloak.token('alice');
    expect((await withToken(known).call('GET')).body.items).toMatchObject([{ workbench_id: id, user_id: 'alice' }]);
    expect(await (await as('carol', 'alice')).get(id)).toMatchObject({ workbench_id: id });
    expect(await client(installation.rest, 'alice').call('GET')).toMatchObject(refused(401, 'Unauthorized'));
  });

  test('a token of a key that is gone is refused once the keys are fetched anew', async () => {
    expect(await asked(older)).toMatchObject(refused(401, 'InvalidToken'));
  });

  test('while Keycloak is away whoever has a token of a known key goes on', async () => {
    await keycloak.halt();
    expect(await withToken(known).get(id)).toMatchObject({ workbench_id: id });
  });

  test('a controller that starts meanwhile waits for it; the issuer’s name need not lead anywhere from inside', async () => {
    await restart({ ...provider('https://id.example/realms/workbenches'), OIDC_JWKS_URL: keycloak.jwksUrl });
    const answer = await asked(known);
    expect(answer).toMatchObject(unavailable);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await keycloak.resume('https://id.example');
    const token = await keycloak.token('alice');
    expect(decodeJwt(token).iss).toBe('https://id.example/realms/workbenches');
    expect(await withToken(token).get(id)).toMatchObject({ workbench_id: id });
    expect(await asked(known)).toMatchObject(refused(401, 'InvalidToken'));
  });
});

test('a token has an end', async () => {
  const { exp, iss } = decodeJwt(brief);
  await restart({ ...provider(iss!), OIDC_JWKS_URL: keycloak.jwksUrl });
  await delay(Math.max(0, exp! * 1000 + SKEW_MS + 1000 - Date.now()));
  const answer = await asked(brief);
  expect(answer).toMatchObject(refused(401, 'InvalidToken'));
  expect(answer.body.error!.message).toBe('The token has expired; get a new one.');
});

test('no token is in the log, nor the key with which one was signed', () => {
  const log = JSON.stringify(installation.log());
  expect(sent.size).toBeGreaterThan(15);
  expect(log).toContain('The identity provider cannot be asked just now');
  for (const part of [...sent].flatMap((token) => token.split('.').slice(1))) expect(log).not.toContain(part);
});
