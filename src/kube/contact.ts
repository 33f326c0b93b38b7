/**
 * Whether a watch has gone blind in a way that a restart mends: the API server goes on answering others here, and has said
 * nothing to this one for long. While it answers nobody, a restart would only lose the cache; so that is nobody's blindness.
 */
export interface Watching {
  kind: string;
  /** On the clock of performance.now(): the last list, event, bookmark or refusal. */
  lastAnsweredAt: number;
}

export class Contact {
  readonly #limitMs: number;
  /** Since when the API server has answered without an absence, and when it last did. */
  #since = 0;
  #last = 0;

  /** @param limitMs how long a watch may be without a word; well above the minute between two bookmarks */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** The API server has answered somebody, whatever it said. */
  answered(now = performance.now()): void {
    // It was away, and every watch has the whole time to follow.
    if (now - this.#last > this.#limitMs / 3) this.#since = now;
    this.#last = now;
  }

  /** The kinds of which it has said nothing for the limit, though it has answered others all that time. */
  blind(watches: readonly Watching[]): string[] {
    const isBlind = ({ lastAnsweredAt }: Watching) =>
      this.#last - Math.max(lastAnsweredAt, this.#since) > this.#limitMs;
    return watches.filter(isBlind).map(({ kind }) => kind);
  }
}
