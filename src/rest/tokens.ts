/** Tokens: of an OpenID provider by its published keys, or of who shares a secret with us. `jose` does the cryptography. */
import { errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyResult } from 'jose';
import { isUser } from '../workbench/resource.ts';
import { unauthorized } from './auth.ts';
import { keysOf } from './keys.ts';
import type { Published } from './keys.ts';
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

export interface ProviderOptions extends Published {
  /** Of this API: a token for another one is not for us. */
  audience: string;
  /** The claim that names the user. */
  userClaim: string;
  /** A role of the audience's client; unset: nobody is an administrator. */
  adminRole?: string;
}

/** Signatures that only the provider can make. */
const ALGORITHMS = ['RS', 'PS', 'ES'].flatMap((kind) => [256, 384, 512].map((bits) => `${kind}${bits}`));
const SKEW_S = 30;

/** Access tokens of one provider. @param now for tests */
export function provider(options: ProviderOptions, now?: () => number): TokenVerifier {
  const { issuer, audience, userClaim, adminRole } = options;
  const keys = keysOf(options, now);
  return async (token) => {
    const { payload, protectedHeader } = await judged(() =>
      jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: [...ALGORITHMS, 'EdDSA', 'Ed25519'],
        requiredClaims: ['exp'],
        clockTolerance: SKEW_S,
      }),
    );
    if (!isAccessToken(payload, protectedHeader)) throw unauthorized('This is not an access token.', true);
    // Whoever may write any address into their account would else be anybody.
    if (userClaim === 'email' && payload.email_verified !== true)
      throw unauthorized('The provider has not verified the e-mail address in this token.', true);
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
