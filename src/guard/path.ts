/**
 * Which workbench a browser's path is of. An Ingress controller, the guard and the IDE all read the same path, each in its own
 * way; whatever two of them could read differently is of none, so that what is authorised is what is routed.
 */
import { NAME } from '../workbench/resource.ts';

/** The guard's own pages: no workbench's id begins with "-". */
const OWN = /^-\/(callback|enter|login|logout)$/;

export type Place = { id: string } | { own: string };

/** Visible ASCII: browsers send nothing else, and encode the rest. */
const PLAIN = /^\/[\x21-\x7e]*$/;

/**
 * @param uri the request's target as it came, "/project/a/lab?x"
 * @param prefix what all workbenches' paths begin with, "/project/"
 * @returns undefined for what must be refused
 */
export function placeOf(uri: string, prefix: string): Place | undefined {
  if (!PLAIN.test(uri) || /[\\#]/.test(uri.split('?', 1)[0]!)) return undefined;
  const path = uri.split('?', 1)[0]!;
  if (!path.startsWith(prefix)) return undefined;
  const [first, ...rest] = path.slice(prefix.length).split('/');
  const own = OWN.exec(path.slice(prefix.length))?.[1];
  if (own !== undefined) return { own };
  return NAME.test(first!) && isStraight(rest.join('/')) ? { id: first! } : undefined;
}

/** Leads nowhere but down, however often it is decoded: "%252e" is "%2e" to one and "." to the next. */
function isStraight(tail: string): boolean {
  let text = tail;
  for (let decoded = 0; decoded < 4; decoded++) {
    const hasDots = text.split(/[/\\]/).some((segment) => /^\.{1,2}(;.*)?$/s.test(segment));
    if (hasDots || text.includes('\0')) return false;
    if (!text.includes('%')) return true;
    try {
      text = decodeURIComponent(text);
    } catch {
      // Once it was decoded, "%" may be a character of a file's name; as it came, it may not.
      return decoded > 0;
    }
  }
  return false;
}
