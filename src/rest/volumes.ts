/** What a client can do with the volumes that are kept: see its own, and give one up for good. */
import type { Cluster } from '../kube/cluster.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Store } from '../kube/store.ts';
import { isAttached, ownerOf, sizeOf } from '../workbench/home.ts';
import { LABEL_ID, claimName, controllerOf } from '../workbench/identity.ts';
import type { Claim } from '../workbench/objects.ts';
import type { Workbench } from '../workbench/resource.ts';
import { Problem } from './problem.ts';
import type { Volume } from './shapes.ts';

export interface VolumesOptions {
  store: Pick<Store, 'collections' | 'claimsOf' | 'mounting'>;
  cluster: Pick<Cluster, 'get' | 'delete'>;
}

/** What a Pod can mount and an API server can hold. */
const NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

export class Volumes {
  readonly #store: VolumesOptions['store'];
  readonly #cluster: VolumesOptions['cluster'];

  constructor({ store, cluster }: VolumesOptions) {
    this.#store = store;
    this.#cluster = cluster;
  }

  list(user: string): Volume[] {
    return this.#store
      .claimsOf(user)
      .toSorted(({ metadata: a }, { metadata: b }) => (a.name < b.name ? -1 : 1))
      .map((claim) => this.#view(claim));
  }

  /** @throws Problem 404 */
  async get(user: string, id: string): Promise<Volume> {
    const known = this.#store.collections.PersistentVolumeClaim.get(id);
    return this.#view(known && ownerOf(known) === user ? known : await this.#live(user, id));
  }

  /** For good. Looks live first, and never takes away what a workbench has. @throws Problem 404, 409 */
  async delete(user: string, id: string): Promise<void> {
    const claim = await this.#live(user, id);
    const { uid, resourceVersion, deletionTimestamp } = claim.metadata;
    if (deletionTimestamp !== undefined) return;
    const holder = this.#holder(claim);
    // One that was never bound holds no files.
    if (holder && claim.status?.phase !== 'Pending')
      throw inUse(`The volume "${id}" belongs to workbench "${holder.metadata.name}"; delete or detach that first.`);
    const pod = this.#store.mounting(id)[0]?.metadata.name;
    if (pod !== undefined) throw inUse(`The volume "${id}" is mounted by Pod "${pod}".`);
    try {
      // Whoever attaches it at this moment writes to it, and is quicker.
      await this.#cluster.delete('PersistentVolumeClaim', id, { uid: uid!, resourceVersion: resourceVersion! });
    } catch (error) {
      if (isKubeError(error, 'conflict')) throw inUse(`The volume "${id}" was changed at this moment; look at it.`);
      throw error;
    }
  }

  async #live(user: string, id: string): Promise<Claim> {
    const none = () => new Problem(404, 'NotFound', `There is no volume "${id.slice(0, 60)}" of yours.`);
    if (!NAME.test(id)) throw none();
    const live = await this.#cluster.get('PersistentVolumeClaim', id).catch((error: unknown) => {
      throw isKubeError(error, 'notFound') ? none() : error;
    });
    if (ownerOf(live) !== user) throw none();
    return live;
  }

  /** The workbench that had it last, or that names it. */
  #holder(claim: Claim): Workbench | undefined {
    const { Workbench: workbenches } = this.#store.collections;
    const last = workbenches.get(claim.metadata.labels?.[LABEL_ID] ?? '');
    const owner = ownerOf(claim);
    // Where that is another owner's by now, the volume that it has in its spec is about to follow.
    const isBound = last && (last.spec.owner === owner || claimName(last) === claim.metadata.name);
    if (isBound && isAttached(claim, last)) return last;
    const mine = owner === undefined ? [] : workbenches.indexed(owner);
    return mine.find((workbench) => claimName(workbench) === claim.metadata.name);
  }

  #view(claim: Claim): Volume {
    const { metadata, spec } = claim;
    const holder = this.#holder(claim)?.metadata.name;
    const size = sizeOf(claim);
    return {
      user_id: ownerOf(claim)!,
      volume_id: metadata.name,
      status: this.#status(claim, holder),
      ...(size === undefined ? {} : { size }),
      ...(spec?.storageClassName === undefined ? {} : { storage_class: spec.storageClassName }),
      ...(holder === undefined ? {} : { workbench_id: holder }),
      retention: controllerOf(claim) ? 'delete' : 'retain',
      ...(metadata.creationTimestamp === undefined ? {} : { created_at: metadata.creationTimestamp }),
    };
  }

  #status(claim: Claim, holder: string | undefined): Volume['status'] {
    if (claim.metadata.deletionTimestamp !== undefined) return 'deleting';
    if (claim.status?.phase === 'Lost') return 'lost';
    if (this.#store.mounting(claim.metadata.name).length > 0) return 'in_use';
    if (claim.status?.phase !== 'Bound') return 'pending';
    return holder === undefined ? 'kept' : 'idle';
  }
}

function inUse(message: string): Problem {
  return new Problem(409, 'VolumeInUse', message);
}
