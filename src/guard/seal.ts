/**
 * What the guard gives out and takes back: sealed, so that nobody reads or makes it who has not the key, and good for one purpose
 * and a while. Every replica has the same key, so none of them keeps anything.
 */
import { hkdfSync } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import type { JWTPayload } from 'jose';

/** session: who has logged in. login: one that is under way. enter: a session handed to a workbench's own host. pass: for the state page. probe: the endpoint check. */
const PURPOSES = ['session', 'login', 'enter', 'pass', 'probe'] as const;
export type Purpose = (typeof PURPOSES)[number];

export interface Seal {
  close(purpose: Purpose, claims: JWTPayload, seconds: number): Promise<string>;
  /** @returns undefined for anything that was not closed for this purpose, or too long ago */
  open(purpose: Purpose, sealed: string | undefined): Promise<JWTPayload | undefined>;
}

const ISSUER = 'workbench-controller';
const HEADER = { alg: 'dir', enc: 'A256GCM' };
/** Between the clocks of two replicas. */
const SKEW_S = 30;

/**
 * @param secrets the first closes, all of them open: so that a key can be changed without logging anybody out
 * @param context what else must be the same for a seal to be good: whose word it rests on, say
 */
export function createSeal(secrets: readonly string[], context = ''): Seal {
  const keyOf = (secret: string, purpose: Purpose) =>
    new Uint8Array(hkdfSync('sha256', secret, '', `${ISSUER} ${purpose} ${context}`, 32));
  const keys = Object.fromEntries(
    PURPOSES.map((purpose) => [purpose, secrets.map((secret) => keyOf(secret, purpose))]),
  ) as Record<Purpose, Uint8Array[]>;
  return {
    close(purpose, claims, seconds) {
      const token = new EncryptJWT(claims).setProtectedHeader(HEADER).setIssuer(ISSUER).setAudience(purpose);
      return token.setIssuedAt().setExpirationTime(`${seconds} s`).encrypt(keys[purpose][0]!);
    },
    async open(purpose, sealed) {
      if (sealed === undefined) return undefined;
      for (const key of keys[purpose]) {
        const opened = await jwtDecrypt(sealed, key, {
          issuer: ISSUER,
          audience: purpose,
          requiredClaims: ['exp'],
          clockTolerance: SKEW_S,
          keyManagementAlgorithms: [HEADER.alg],
          contentEncryptionAlgorithms: [HEADER.enc],
        }).catch(() => undefined);
        if (opened) return opened.payload;
      }
      return undefined;
    },
  };
}
