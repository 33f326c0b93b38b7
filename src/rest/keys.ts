/** The keys that an OpenID provider publishes: where they are, and when they are fetched. `jose` reads and chooses them. */
import { createRemoteJWKSet, errors } from 'jose';
import type { JWTVerifyGetKey } from 'jose';

export interface Published {
  /** To the letter, as it is in every token. */
  issuer: string;
  /** Where its keys are reached from here; unset: where the provider says. */
  jwksUrl?: string;
}

/** After this they are fetched anew, so that a key that the provider gave up is given up here. */
const FRESH_MS = 600_000;
/** So long they are good while the provider is away: its tokens have an end of their own. */
const LASTING_MS = 3_600_000;
/** Between two fetches for keys that tokens name and nobody knows, or after one that failed while there are known ones. */
const COOLDOWN_MS = 30_000;
const PATIENCE_MS = 5_000;

/** As long as a client is told to wait: whoever sends tokens must not be a burden to a provider that has trouble. */
const RETRY_MS = 5_000;

/** Found once, when the first token comes; a provider that is away then is asked again some seconds later. */
export function keysOf({ issuer, jwksUrl }: Published, now: () => number = Date.now): JWTVerifyGetKey {
  let found: Promise<JWTVerifyGetKey> | undefined;
  const careful = retrying(now);
  const find = async () => fetchedKeys(jwksUrl ?? (await discover(issuer)), now);
  return async (header, token) => {
    found ??= careful(find).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return (await found)(header, token);
  };
}

/** What has just failed fails again without being tried. */
function retrying(now: () => number) {
  let failed: { at: number; error: unknown } | undefined;
  return async <T>(act: () => Promise<T>): Promise<T> => {
    if (failed && now() - failed.at < RETRY_MS) throw failed.error;
    try {
      return await act();
    } catch (error) {
      failed = { at: now(), error };
      throw error;
    }
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

/**
 * jose's own rules would let a token of a new key wait, when the known ones were fetched a moment ago, and would refuse
 * everybody while the provider is away for a minute at the wrong time.
 */
function fetchedKeys(url: string, now: () => number): JWTVerifyGetKey {
  const never = { cacheMaxAge: Infinity, cooldownDuration: Infinity };
  const keys = createRemoteJWKSet(new URL(url), { ...never, timeoutDuration: PATIENCE_MS });
  const careful = retrying(now);
  const last = { fetched: -Infinity, failed: -Infinity, searched: -Infinity };
  const since = (what: keyof typeof last) => now() - last[what];

  /** Whoever asks while a fetch is under way waits for that one. */
  async function fetchAnew(): Promise<void> {
    try {
      await careful(() => keys.reload());
      last.fetched = now();
    } catch (error) {
      last.failed = now();
      throw error;
    }
  }

  async function refresh(): Promise<void> {
    if (since('fetched') < FRESH_MS) return;
    const canGoOn = since('fetched') < LASTING_MS;
    if (canGoOn && since('failed') < COOLDOWN_MS) return;
    await fetchAnew().catch((error: unknown) => {
      if (!canGoOn) throw error;
    });
  }

  return async (header, token) => {
    await refresh();
    try {
      return await keys(header, token);
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey;
      if (!isUnknown || (since('searched') < COOLDOWN_MS && !keys.reloading)) throw error;
      await fetchAnew();
      last.searched = now();
      return keys(header, token);
    }
  };
}
