/** How many requests a user may make: at each replica, counted in windows of ten seconds, so that a burst is no offence. */
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from './problem.ts';

const WINDOW_S = 10;

/** @returns what rejects with Problem 429 when a user has made too many */
export function rateLimit(perSecond: number): (user: string) => Promise<void> {
  if (perSecond === 0) return () => Promise.resolve();
  const limiter = new RateLimiterMemory({ points: Math.ceil(perSecond * WINDOW_S), duration: WINDOW_S });
  return async (user) => {
    try {
      await limiter.consume(user);
    } catch (full) {
      const seconds = Math.max(1, Math.ceil((full as RateLimiterRes).msBeforeNext / 1000));
      throw new Problem(
        429,
        'TooManyRequests',
        `These are more than ${perSecond} requests a second; wait, or ask less often with ?wait= or /events.`,
        seconds,
      );
    }
  };
}
