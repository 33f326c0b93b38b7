/** Tokens: of an OpenID provider by its published keys, or of who shares a secret with us. `jose` does the cryptography. */
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyResult } from 'jose';
import { isUser } from '../workbench/resource.ts';
import { unauthorized } from './auth.ts';
import { Problem } from './problem.ts';

export interface Caller {
  user: string;
  isAdmin: boolean;
}

/** @throws Problem 401, 503 */
export type TokenVerifier = (token: string) => Promise<Caller>;

/** Of who shares the secret: HS256, and never without an end. @param claim that names the user */
export function sharedSecret(secret: string, claim: string): TokenVerifier {
  const key = new TextEncoder().encode(secret);
  return async (token) => {
    const { payload } = await judged(() =>
      jwtVerify(token, key, { algorithms: ['HS256'], requiredClaims: ['exp'], clockTolerance: SKEW_S }),
    );
    return { user: userIn(payload, claim), isAdmin: false };
  };
}

export interface ProviderOptions {
  /** To the letter, as it is in every token. */
  issuer: string;
  /** Of this API: a token for another one is not for us. */
  audience: string;
  /** Where its keys are reached from here; unset: where the provider says. */
  jwksUrl?: string;
  /** The claim that names the user. */
  userClaim: string;
  /** A role of the audience's client; unset: nobody is an administrator. */
  adminRole?: string;
}

/** Signatures that only the provider can make. */
const ALGORITHMS = ['RS', 'PS', 'ES'].flatMap((kind) => [256, 384, 512].map((bits) => `${kind}${bits}`));
const SKEW_S = 30;
/** Between two fetches of keys, whatever keys tokens name. */
const COOLDOWN_MS = 30_000;
const PATIENCE_MS = 5_000;

/** Access tokens of one provider. */
export function provider(options: ProviderOptions): TokenVerifier {
  const { issuer, audience, userClaim, adminRole } = options;
  const keys = keysOf(options);
  return async (token) => {
    const { payload, protectedHeader } = await judged(async () =>
      jwtVerify(token, await keys(), {
        issuer,
        audience,
        algorithms: [...ALGORITHMS, 'EdDSA', 'Ed25519'],
        requiredClaims: ['exp'],
        clockTolerance: SKEW_S,
      }),
    );
    if (!isAccessToken(payload, protectedHeader)) throw unauthorized('This is not an access token.', true);
    const isAdmin = adminRole !== undefined && rolesIn(payload, audience).includes(adminRole);
    return { user: userIn(payload, userClaim), isAdmin };
  };
}

/** An ID token is for the page that somebody logged in at, and says nothing of what it may do here. */
function isAccessToken(payload: JWTPayload, { typ }: JWTVerifyResult['protectedHeader']): boolean {
  return payload.typ === 'Bearer' || /^(application\/)?at\+jwt$/i.test(typ ?? '');
}

/** As Keycloak writes them: those that our own client gives, none that others do. */
function rolesIn(payload: JWTPayload, audience: string): unknown[] {
  const access = payload.resource_access as Record<string, { roles?: unknown } | undefined> | undefined;
  const roles = access && Object.hasOwn(access, audience) ? access[audience]?.roles : undefined;
  return Array.isArray(roles) ? roles : [];
}

function userIn(payload: JWTPayload, claim: string): string {
  const user = Object.hasOwn(payload, claim) ? payload[claim] : undefined;
  if (isUser(user)) return user;
  throw unauthorized(
    `The token names no user: its claim "${claim}" must be printable text of 1 to 253 characters.`,
    true,
  );
}

/** Found once, when the first token comes; a provider that is away then is asked again at the next one. */
function keysOf({ issuer, jwksUrl }: ProviderOptions): () => Promise<JWTVerifyGetKey> {
  let found: Promise<JWTVerifyGetKey> | undefined;
  const find = async () => {
    const url = jwksUrl ?? (await discover(issuer));
    return createRemoteJWKSet(new URL(url), { cooldownDuration: COOLDOWN_MS, timeoutDuration: PATIENCE_MS });
  };
  return () => {
    found ??= find().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' });
  const said = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (said.issuer !== issuer) throw new Error(`${url} is of the issuer "${String(said.issuer)}"`);
  if (typeof said.jwks_uri !== 'string') throw new Error(`${url} names no keys`);
  return said.jwks_uri;
}

/** What is wrong with a token is the client's to know; that its provider cannot be asked is not the client's fault. */
async function judged(verify: () => Promise<JWTVerifyResult>): Promise<JWTVerifyResult> {
  try {
    return await verify();
  } catch (error) {
    const code = error instanceof errors.JOSEError ? error.code : undefined;
    if (code === 'ERR_JWT_EXPIRED') throw unauthorized('The token has expired; get a new one.', true);
    if (code !== undefined && !UNREACHABLE.has(code))
      throw unauthorized(
        'The token is not valid here: it must be an access token of this installation’s provider, for this API.',
        true,
      );
    throw Object.assign(
      new Problem(
        503,
        'IdentityUnavailable',
        'The identity provider cannot be asked just now; try again in a moment.',
        5,
      ),
      { cause: error },
    );
  }
}

/** Of jose's own codes, those that speak of the provider and not of the token. */
const UNREACHABLE = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);
