/** The user that a request names. */
import { invalid } from './problem.ts';

/**
 * Counted in code points, as the API server does. Half a character would be stored as U+FFFD, so that all who have one would be
 * the same owner.
 */
const USER = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,253}$/u;

export function isUser(text: unknown): text is string {
  return typeof text === 'string' && USER.test(text);
}

/** @throws Problem 400 */
export function userFrom({ user_id: user }: Record<string, unknown>): string {
  if (user === undefined || user === '') throw invalid('The query parameter user_id is missing.');
  if (typeof user !== 'string') throw invalid('The query parameter user_id must be there once.');
  if (isUser(user)) return user;
  throw invalid('The query parameter user_id must be printable text of 1 to 253 characters.');
}
