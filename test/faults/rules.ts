/**
 * What goes wrong, and when: plain data, so that a plan can be listed, named and replayed. A rule waits for the nth request,
 * or the nth event of a watch, that it matches.
 */
import type { Call, Verb } from './calls.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface Match {
  verb: Verb;
  resource: string;
  /** Absent: the object itself. */
  subresource?: string;
  /** With the verb "watch": not its opening but what it tells of this workbench's objects. */
  event?: EventType;
}

/** before: nobody sees the request or the event. after: it is done, and nobody hears of that; or it is told, and then. */
type When = 'before' | 'after';

export type Action =
  /** kill -9 the controller. */
  | { do: 'crash'; when: When }
  /** Ask the controller to end (SIGTERM) while it is at it, and start it again. */
  | { do: 'end' }
  /** Stop the controller (SIGSTOP) for so long. */
  | { do: 'stop'; ms: number }
  /** Reset the connection. */
  | { do: 'drop'; when: When }
  /** A request: answer this without asking the API server. An event: an ERROR of this code instead, and the end of the stream. */
  | { do: 'status'; code: number; retryAfterS?: number }
  | { do: 'delay'; when: When; ms: number }
  /** Half of the answer, or of the event's line, and then a reset. */
  | { do: 'truncate' }
  /** Nothing reaches the API server for so long: every connection is cut, and new ones are refused. */
  | { do: 'outage'; ms: number }
  /** Of events only. The watch goes on for so long, and then ends as if its time had come. */
  | { do: 'swallow'; endMs: number }
  | { do: 'duplicate' }
  /** Told after the next event of the same workbench. */
  | { do: 'reorder' }
  /** The stream ends before it, as if its time had come. */
  | { do: 'close' }
  /** Silence from here on, on a connection that stays open. */
  | { do: 'freeze' };

export interface Rule {
  on: Match;
  /** Which of the requests that match, counted from 1. Default 1. */
  nth?: number;
  /** How many from there on. Default 1. */
  times?: number;
  action: Action;
}

export type Happening = Pick<Call, 'verb' | 'resource' | 'subresource'> & { event?: EventType };

function matches(match: Match, seen: Happening): boolean {
  return (
    match.verb === seen.verb &&
    match.resource === seen.resource &&
    match.subresource === seen.subresource &&
    match.event === seen.event
  );
}

/** Rules in their order: each begins to count when the one before it has done its last. */
export class Script {
  readonly #rules: readonly Rule[];
  #at = 0;
  #matched = 0;
  /** How many rules have befallen something. What a rule would do to a further try may find none: all is done before. */
  done = 0;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /** What is to befall this request or event; undefined: nothing. */
  next(seen: Happening): Action | undefined {
    const rule = this.#rules[this.#at];
    if (!rule || !matches(rule.on, seen)) return undefined;
    const { nth = 1, times = 1 } = rule;
    this.#matched += 1;
    if (this.#matched < nth) return undefined;
    if (this.#matched === nth) this.done += 1;
    if (this.#matched === nth + times - 1) {
      this.#at += 1;
      this.#matched = 0;
    }
    return rule.action;
  }
}
