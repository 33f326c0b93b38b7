/** What is refused at the request, by the controller's own rules: a courtesy, since the controller judges in the end. */
import type { Cluster } from '../kube/cluster.ts';
import { isKubeError } from '../kube/errors.ts';
import { refusalFrom } from '../kube/refusal.ts';
import type { Store } from '../kube/store.ts';
import { refusalOf } from '../workbench/admit.ts';
import { settingsFor } from '../workbench/class.ts';
import type { WorkbenchClass } from '../workbench/class.ts';
import { homeOf } from '../workbench/home.ts';
import type { Home } from '../workbench/home.ts';
import { claimName } from '../workbench/identity.ts';
import { isLimited, refusalOfUser, storageSeen } from '../workbench/limits.ts';
import type { KubeObject } from '../workbench/objects.ts';
import { buildPod } from '../workbench/pod.ts';
import type { Workbench, WorkbenchSpec } from '../workbench/resource.ts';
import type { Settings } from '../workbench/settings.ts';
import { newName } from './new-name.ts';
import { Problem } from './problem.ts';

export interface GrantsOptions {
  store: Pick<Store, 'collections' | 'siblings' | 'claimsOf' | 'rivalFor'>;
  cluster: Pick<Cluster, 'get' | 'rehearse'>;
  settings: Settings;
}

/** What stands in the way of a volume, as HTTP says it; all else is a conflict with what is there. */
const STATUS: Record<string, number> = { UserLimit: 403, VolumeMissing: 400 };

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

  /** Whether it may start now: beside its owner's others, in what the namespace has left, with its volume. @throws Problem 403, 409 */
  async checkStart(workbench: Workbench): Promise<void> {
    const { store, settings } = this.#options;
    const found = await this.#classOf(workbench.spec);
    const wanted = { workbench, ...(found ? { class: found } : {}) };
    const refusal = isLimited(found, settings) ? refusalOfUser(wanted, store.siblings(workbench), settings) : undefined;
    if (refusal) throw new Problem(403, refusal.reason, refusal.message);
    const home = this.#homeOf(workbench, found);
    const { obstacle } = home ?? {};
    if (obstacle?.phase === 'Failed')
      throw new Problem(STATUS[obstacle.reason] ?? 409, obstacle.reason, obstacle.message);
    await this.#checkQuota(workbench, found, home);
  }

  /** Whether its volume can have the size that it asks for. @throws Problem 400, 403 */
  async checkSize(workbench: Workbench): Promise<void> {
    const { reason, message } = this.#homeOf(workbench, await this.#classOf(workbench.spec))?.unresized ?? {};
    if (reason === 'VolumeCannotShrink') throw new Problem(400, reason, message!);
    if (reason === 'UserLimit') throw new Problem(403, reason, message!);
  }

  #homeOf(workbench: Workbench, found: WorkbenchClass | undefined): Home | undefined {
    const { store, settings } = this.#options;
    const claim = store.collections.PersistentVolumeClaim.get(claimName(workbench));
    const rival = claim && store.rivalFor(claim, workbench);
    const taken = storageSeen(
      { workbench, ...(found ? { class: found } : {}) },
      () => store.siblings(workbench),
      () => store.claimsOf(workbench.spec.owner),
      settings,
    );
    const seen = { ...(claim ? { claim } : {}), ...(rival ? { rival } : {}), ...taken };
    return homeOf(workbench, seen, settingsFor(workbench.spec, found, settings));
  }

  /**
   * Asked of the API server itself, which counts better than anybody could; and only where the namespace has a quota. What is
   * on its way out still counts, so whoever has a Pod is not asked about.
   */
  async #checkQuota(workbench: Workbench, found: WorkbenchClass | undefined, home: Home | undefined): Promise<void> {
    const { store, cluster, settings } = this.#options;
    const { Pod: pods, ResourceQuota: quotas } = store.collections;
    if (quotas.size === 0 || pods.indexed(workbench.metadata.name).length > 0) return;
    const pod = buildPod(workbench, settingsFor(workbench.spec, found, settings), { class: found, claim: home?.name });
    const claims = (home?.steps ?? []).filter((step) => step.do === 'create');
    for (const { kind, object } of [...claims, { kind: 'Pod' as const, object: pod }]) {
      try {
        await cluster.rehearse(kind, nameless(object));
      } catch (error) {
        const refusal = isKubeError(error, 'forbidden') ? refusalFrom(error, kind) : undefined;
        if (refusal?.reason === 'QuotaExceeded') throw new Problem(403, refusal.reason, refusal.message);
      }
    }
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

/** A trial of what has no UID yet: it belongs to nobody, and bears a name that nothing has. */
function nameless({ metadata, ...object }: KubeObject): KubeObject {
  const { name: _, ownerReferences: __, ...rest } = metadata;
  return { ...object, metadata: { ...rest, name: newName() } };
}
