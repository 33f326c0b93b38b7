/**
 * A phase shorter than a second is not written: it would be a write that nobody reads. Held is what leads up, and the
 * beginning of a stop that was asked for; whatever takes a running workbench from a person is written at once.
 */
import type { WorkbenchStatus } from '../workbench/resource.ts';

const UP_MS = 1_000;
/** Shorter: between the request to stop and this, the status still says Running. */
const DOWN_MS = 300;

const UP = new Set(['Starting', 'Pending', 'Provisioning']);

/** How long a status is held back before it is published; 0: not at all. */
export function holdMs(published: WorkbenchStatus | undefined, next: WorkbenchStatus): number {
  if (published?.phase === next.phase && published?.reason === next.reason) return 0;
  if (next.phase === 'Stopping') return DOWN_MS;
  if (!UP.has(next.phase!)) return 0;
  return published?.phase === 'Running' ? 0 : UP_MS;
}

/** Remembers since when each workbench has been in a phase that is not published yet. */
export class Hold {
  readonly #since = new Map<string, { what: string; at: number }>();

  /** What is left of the hold, in ms; 0: publish now. `now` is on any steady clock. */
  remainingMs(key: string, published: WorkbenchStatus | undefined, next: WorkbenchStatus, now: number): number {
    const whole = holdMs(published, next);
    if (whole === 0) {
      this.#since.delete(key);
      return 0;
    }
    const what = `${next.phase} ${next.reason}`;
    const entry = this.#since.get(key);
    if (entry?.what !== what) this.#since.set(key, { what, at: now });
    return Math.max(0, (entry?.what === what ? entry.at : now) + whole - now);
  }

  forgetAll(): void {
    this.#since.clear();
  }

  forget(key: string): void {
    this.#since.delete(key);
  }
}
