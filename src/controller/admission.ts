/** Which of an owner's workbenches may start: asked and granted in one breath, so that two passes at once never share a place or a volume. */
import type { Store } from '../kube/store.ts';
import type { Refusal } from '../workbench/admit.ts';
import type { Seen } from '../workbench/home.ts';
import { isLimited, refusalOfUser, storageSeen } from '../workbench/limits.ts';
import type { Sibling } from '../workbench/limits.ts';
import type { Snapshot } from '../workbench/plan.ts';
import { claimName } from '../workbench/identity.ts';
import type { Workbench } from '../workbench/resource.ts';
import type { Settings } from '../workbench/settings.ts';

interface Failure {
  /** The API server's word that nothing was made. */
  refusal: Refusal | undefined;
}

/** The answer to a write may be lost; by then the watch has told whether it was done. */
const UNKNOWN_MS = 5_000;

export class Admission {
  readonly #store: Pick<Store, 'siblings' | 'claimsOf'>;
  readonly #settings: Settings;
  /** Workbenches whose Pod is being made: not in the store yet, and not to be made a second time in its place. */
  readonly #granted = new Map<string, string>();

  constructor(store: Pick<Store, 'siblings' | 'claimsOf'>, settings: Settings) {
    this.#store = store;
    this.#settings = settings;
  }

  /** Why no Pod may be made for it now; undefined: one may. */
  refusal({ workbench, pods, class: found }: Snapshot): Refusal | undefined {
    if (!workbench || !isLimited(found, this.#settings)) return undefined;
    // All others are gone through only for who is about to get a Pod.
    if (pods.length > 0 || workbench.spec.state === 'Stopped' || workbench.metadata.deletionTimestamp) return undefined;
    const others = this.#siblings(workbench);
    return refusalOfUser({ workbench, ...(found ? { class: found } : {}) }, others, this.#settings);
  }

  /** What is to be known of its volume beside the volume itself. */
  volume({ workbench, class: found }: Snapshot): Pick<Seen, 'promisedTo' | 'storageTaken' | 'storageTakenOfClass'> {
    if (!workbench) return {};
    const promisedTo = this.#promisedTo(claimName(workbench), workbench.metadata.name);
    const taken = storageSeen(
      { workbench, ...(found ? { class: found } : {}) },
      () => this.#siblings(workbench),
      () => this.#store.claimsOf(workbench.spec.owner),
      this.#settings,
    );
    return { ...(promisedTo === undefined ? {} : { promisedTo }), ...taken };
  }

  /** At every pass, so without a copy of what may be dozens. */
  #promisedTo(wanted: string, but: string): string | undefined {
    for (const [key, claim] of this.#granted) if (claim === wanted && key !== but) return key;
    return undefined;
  }

  #siblings(workbench: Workbench): Sibling[] {
    return this.#store
      .siblings(workbench)
      .map((other) => (this.#granted.has(other.workbench.metadata.name) ? { ...other, hasPod: true } : other));
  }

  /** Keeps its place, and its volume, while its Pod is being made; and a while longer where nobody knows whether it was. */
  async granted<F extends Failure>(workbench: Workbench, make: () => Promise<F | undefined>): Promise<F | undefined> {
    const key = workbench.metadata.name;
    this.#granted.set(key, claimName(workbench));
    let failure: F | undefined;
    try {
      failure = await make();
      return failure;
    } finally {
      if (failure && !failure.refusal) setTimeout(() => this.#granted.delete(key), UNKNOWN_MS).unref();
      else this.#granted.delete(key);
    }
  }
}
