/**
 * How long launches take. One begins with the pass that first wants a Pod made, and ends when the workbench runs, fails or is
 * taken down. A launch of which another process saw the beginning is not told of. Times are on any steady clock, in ms.
 */
import type { Phase } from '../workbench/resource.ts';

/** What a launch passes through, and how it ends. */
export const LAUNCH_PHASES = ['Starting', 'Pending', 'Provisioning', 'Running', 'Failed'] as const;
export type LaunchPhase = (typeof LAUNCH_PHASES)[number];

export interface Launch {
  phase: LaunchPhase;
  /** From the beginning until this phase was first reached. */
  ms: number;
}

export class Launches {
  readonly #onReached: (launch: Launch) => void;
  readonly #under = new Map<string, { since: number; reached: Set<Phase> }>();

  constructor(onReached: (launch: Launch) => void) {
    this.#onReached = onReached;
  }

  /** One that is under way goes on, and so does one that failed: its retries are no launches of their own. */
  begin(key: string, now: number): void {
    if (!this.#under.has(key)) this.#under.set(key, { since: now, reached: new Set() });
  }

  reach(key: string, phase: Phase, now: number): void {
    const launch = this.#under.get(key);
    if (!launch) return;
    if (isLaunchPhase(phase) && !launch.reached.has(phase) && !launch.reached.has('Failed'))
      this.#onReached({ phase, ms: now - launch.since });
    launch.reached.add(phase);
    if (phase === 'Running' || phase === 'Stopping' || phase === 'Stopped') this.forget(key);
  }

  forget(key: string): void {
    this.#under.delete(key);
  }

  forgetAll(): void {
    this.#under.clear();
  }
}

function isLaunchPhase(phase: Phase): phase is LaunchPhase {
  return (LAUNCH_PHASES as readonly Phase[]).includes(phase);
}
