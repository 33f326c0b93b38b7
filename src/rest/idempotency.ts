/**
 * A POST that is sent twice makes one workbench: its name is made from the user and the key, so the API server itself
 * refuses a second one. Nothing else is kept, so a key is forgotten with the workbench that it made.
 */
import { hash } from 'node:crypto';
import type { Workbench, WorkbenchSpec } from '../workbench/resource.ts';
import { nameFrom } from './new-name.ts';
import { Problem, invalid } from './problem.ts';

/** What was asked for at first. It decides nothing but which of two answers a repetition gets. */
export const REQUEST = 'workbench.h1st.ai/request';

/** No space at either end: a header has none there. */
export const ASCII = /^[!-~]([ -~]{0,253}[!-~])?$/;

/** @throws Problem 400 */
export function keyIn(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && ASCII.test(header)) return header;
  throw invalid('The header Idempotency-Key must be 1 to 255 printable ASCII characters.');
}

export function nameFor(user: string, key: string): string {
  return nameFrom(hash('sha256', JSON.stringify([user, key]), 'buffer'));
}

/** Of the spec and not of the bytes: how a body is written does not make it another. */
export function requestOf(spec: WorkbenchSpec): string {
  return hash('sha256', JSON.stringify(spec), 'hex').slice(0, 32);
}

export interface Means {
  /** From the cache. */
  known: (name: string) => Workbench | undefined;
  /** @throws KubeError notFound, … */
  live: (name: string) => Promise<Workbench>;
  /** @throws whatever stands in the way */
  make: (name: string, annotations: Record<string, string>) => Promise<Workbench>;
}

/** The workbench of this key, whether it has been made just now or long ago. @throws Problem 409 */
export async function once(key: string, spec: WorkbenchSpec, { known, live, make }: Means): Promise<Workbench> {
  const name = nameFor(spec.owner, key);
  const request = requestOf(spec);
  const sameOf = (found: Workbench) => {
    // Of another owner by now: an administrator has given it away.
    if (found.spec.owner === spec.owner && found.metadata.annotations?.[REQUEST] === request) return found;
    throw new Problem(
      409,
      'IdempotencyConflict',
      'This Idempotency-Key was used for another request; send a new one with a new request.',
    );
  };
  const before = known(name);
  if (before) return sameOf(before);
  let made: Workbench;
  try {
    made = await make(name, { [REQUEST]: request });
  } catch (error) {
    // Whatever stands in the way may be the first request's doing: it has the name, and its part of what its owner may have.
    made = await live(name).catch(() => Promise.reject(error as Error));
  }
  return sameOf(made);
}
