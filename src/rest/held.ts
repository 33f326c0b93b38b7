/** Requests that stay open: woken when their workbench changes, few enough for each user, and let go when this process ends. */
import type { Store } from '../kube/store.ts';
import { Problem } from './problem.ts';

/** None of the two may throw. */
export interface Watcher {
  /** Something of its workbench may have changed; once for all that came at the same moment. */
  onChange: () => void;
  /** This process is asked to end. */
  onEnd: () => void;
}

export interface Held {
  /** @returns what lets it go. @throws Problem 429, 503 */
  hold: (user: string, id: string, watcher: Watcher) => () => void;
  readonly isEnding: boolean;
}

const MOST_OF_ONE_USER = 100;
/** Each is some 20 KB, and the memory of a replica is bounded. */
const MOST_OF_ALL = 4_000;

export function createHeld(store: Pick<Store, 'onAnyChange'>, ending: AbortSignal): Held {
  const byId = new Map<string, Set<Watcher>>();
  const byUser = new Map<string, number>();
  const changed = new Set<string>();
  let count = 0;

  function tell(): void {
    const ids = [...changed];
    changed.clear();
    for (const id of ids) for (const { onChange } of byId.get(id) ?? []) onChange();
  }
  store.onAnyChange((id) => {
    if (!byId.has(id)) return;
    if (changed.size === 0) setImmediate(tell);
    changed.add(id);
  });
  ending.addEventListener('abort', () => {
    for (const watchers of byId.values()) for (const { onEnd } of watchers) onEnd();
  });

  return {
    get isEnding() {
      return ending.aborted;
    },
    hold(user, id, watcher) {
      const mine = byUser.get(user) ?? 0;
      if (mine >= MOST_OF_ONE_USER)
        throw new Problem(429, 'TooManyStreams', `You have ${mine} waits and event streams open; close some.`, 5);
      if (count >= MOST_OF_ALL)
        throw new Problem(503, 'TooManyStreams', 'Too many waits and event streams are open; try again.', 5);
      byUser.set(user, mine + 1);
      count += 1;
      const watchers = byId.get(id) ?? new Set();
      byId.set(id, watchers.add(watcher));
      return () => {
        if (!watchers.delete(watcher)) return;
        count -= 1;
        const left = byUser.get(user)! - 1;
        if (left > 0) byUser.set(user, left);
        else byUser.delete(user);
        if (watchers.size === 0 && byId.get(id) === watchers) byId.delete(id);
      };
    },
  };
}
