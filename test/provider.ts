/** An OpenID provider, as far as this program can see of one: where its keys are, the keys, and tokens that they have signed. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import type { CryptoKey, JWTHeaderParameters, JWTPayload } from 'jose';

const AUDIENCE = 'workbenches';
const ADMIN_ROLE = 'admin';

export interface Provider {
  /** What a controller needs to know of it. */
  env: Record<string, string>;
  /** An access token, good for an hour. */
  token: (subject: string, isAdmin?: boolean) => Promise<string>;
  /** Any other one. @param claims over those of an access token; undefined takes one away */
  sign: (claims: JWTPayload, header?: Partial<JWTHeaderParameters>, key?: CryptoKey | Uint8Array) => Promise<string>;
  /** What everybody may know, as a file. */
  publicKey: string;
  close: () => void;
}

export async function startProvider(): Promise<Provider> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', use: 'sig' }];
  const server = createServer(({ url }, response) => {
    const answer = url === '/keys' ? { keys } : { issuer, jwks_uri: `${issuer}/keys` };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign: Provider['sign'] = (claims, header = {}, key = privateKey) => {
    const exp = Math.floor(Date.now() / 1_000) + 3_600;
    return new SignJWT({ typ: 'Bearer', iss: issuer, aud: AUDIENCE, exp, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
      .sign(key);
  };
  return {
    env: { OIDC_ISSUER: issuer, OIDC_AUDIENCE: AUDIENCE, OIDC_ADMIN_ROLE: ADMIN_ROLE },
    token: (sub, isAdmin = false) =>
      sign({ sub, ...(isAdmin ? { resource_access: { [AUDIENCE]: { roles: [ADMIN_ROLE] } } } : {}) }),
    sign,
    publicKey: await exportSPKI(publicKey),
    close: () => void server.close(),
  };
}
