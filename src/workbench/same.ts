import { isDeepStrictEqual } from 'node:util';

/** Equal as JSON: the order of keys and the prototype (a null one, from a schema) do not count. */
export function isSame(one: unknown, other: unknown): boolean {
  // Most of what is compared is equal as it is, and need not be written out first.
  return isDeepStrictEqual(one, other) || isDeepStrictEqual(plain(one), plain(other));
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
