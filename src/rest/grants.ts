/** What is refused at the request, by the controller's own rules: a courtesy, since the controller judges in the end. */
import type { Cluster } from '../kube/cluster.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Store } from '../kube/store.ts';
import { refusalOf } from '../workbench/admit.ts';
import { settingsFor } from '../workbench/class.ts';
import type { WorkbenchClass } from '../workbench/class.ts';
import { refusalOfUser } from '../workbench/limits.ts';
import type { Workbench, WorkbenchSpec } from '../workbench/resource.ts';
import type { Settings } from '../workbench/settings.ts';
import { Problem } from './problem.ts';

export interface GrantsOptions {
  store: Pick<Store, 'collections' | 'siblings'>;
  cluster: Pick<Cluster, 'get'>;
  settings: Settings;
}

export class Grants {
  readonly #options: GrantsOptions;

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  /** What its class, or the installation, does not allow. @throws Problem 400 */
  async check(spec: WorkbenchSpec): Promise<void> {
    const found = await this.#classOf(spec);
    const refusal = refusalOf(spec, found, settingsFor(spec, found, this.#options.settings));
    if (refusal) throw new Problem(400, refusal.reason, refusal.message);
  }

  /** Whether its owner may run it beside the others. @throws Problem 403 */
  async checkUser(workbench: Workbench): Promise<void> {
    const { store, settings } = this.#options;
    if (!settings.userLimits) return;
    const found = await this.#classOf(workbench.spec);
    const wanted = { workbench, ...(found ? { class: found } : {}) };
    const refusal = refusalOfUser(wanted, store.siblings(workbench), settings);
    if (refusal) throw new Problem(403, refusal.reason, refusal.message);
  }

  /** On a miss one live read: it may have been made a moment ago. */
  async #classOf({ class: name }: WorkbenchSpec): Promise<WorkbenchClass | undefined> {
    if (name === undefined) return undefined;
    const known = this.#options.store.collections.WorkbenchClass.get(name);
    if (known) return known;
    return this.#options.cluster.get('WorkbenchClass', name).catch((error: unknown) => {
      if (isKubeError(error, 'notFound')) return undefined;
      throw error;
    });
  }
}
