/** The user that a request names. */
import { isUser } from '../workbench/resource.ts';
import { invalid } from './problem.ts';

/** @throws Problem 400 */
export function userFrom({ user_id: user }: Record<string, unknown>): string {
  if (user === undefined || user === '') throw invalid('The query parameter user_id is missing.');
  if (typeof user !== 'string') throw invalid('The query parameter user_id must be there once.');
  if (isUser(user)) return user;
  throw invalid('The query parameter user_id must be printable text of 1 to 253 characters.');
}
