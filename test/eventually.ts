import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * Looks again and again until what is seen passes the check. The error of a test that waits in vain shows what was seen last.
 * @param timeoutMs default 120 s: a machine may be busy, and nobody waits that long when all is well
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  check: (seen: T) => boolean,
  timeoutMs = 120_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (check(seen)) return seen;
    if (performance.now() > deadline)
      throw new Error(`Not ${what} within ${timeoutMs} ms; last seen: ${JSON.stringify(seen)}`);
    await delay(POLL_MS);
  }
}
