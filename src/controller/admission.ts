/** Which of an owner's workbenches may start: asked and granted in one breath, so that two passes at once never share a place. */
import type { Store } from '../kube/store.ts';
import type { Refusal } from '../workbench/admit.ts';
import { refusalOfUser } from '../workbench/limits.ts';
import type { Snapshot } from '../workbench/plan.ts';
import type { Settings } from '../workbench/settings.ts';

export class Admission {
  readonly #store: Pick<Store, 'siblings'>;
  readonly #settings: Settings;
  /** Workbenches whose Pod is being made: not in the store yet, and not to be made a second time in its place. */
  readonly #granted = new Set<string>();

  constructor(store: Pick<Store, 'siblings'>, settings: Settings) {
    this.#store = store;
    this.#settings = settings;
  }

  /** Why no Pod may be made for it now; undefined: one may. */
  refusal({ workbench, pods, class: found }: Snapshot): Refusal | undefined {
    if (!workbench || !this.#settings.userLimits) return undefined;
    // All others are gone through only for who is about to get a Pod.
    if (pods.length > 0 || workbench.spec.state === 'Stopped' || workbench.metadata.deletionTimestamp) return undefined;
    const others = this.#store
      .siblings(workbench)
      .map((other) => (this.#granted.has(other.workbench.metadata.name) ? { ...other, hasPod: true } : other));
    return refusalOfUser({ workbench, ...(found ? { class: found } : {}) }, others, this.#settings);
  }

  /** Keeps its place while its Pod is being made. */
  async granted<T>(key: string, make: () => Promise<T>): Promise<T> {
    this.#granted.add(key);
    try {
      return await make();
    } finally {
      this.#granted.delete(key);
    }
  }
}
