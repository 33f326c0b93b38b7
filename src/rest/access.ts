/** Which workbenches a user may do what with, and edits that are theirs to make when they are written. */
import type { Cluster } from '../kube/cluster.ts';
import { isFailedTest, isKubeError } from '../kube/errors.ts';
import type { Store } from '../kube/store.ts';
import type { PatchOperation } from '../workbench/objects.ts';
import { NAME } from '../workbench/resource.ts';
import type { Workbench } from '../workbench/resource.ts';
import { includes, permissionOf, proofOf } from '../workbench/shares.ts';
import type { Right } from '../workbench/shares.ts';
import { STATE_MANAGER } from '../workbench/trim.ts';
import { Problem, contended, noSuchWorkbench } from './problem.ts';

export interface AccessOptions {
  store: Pick<Store, 'collections' | 'sharedWith'>;
  cluster: Pick<Cluster, 'get' | 'patch'>;
  /** Whether the watch of workbenches is alive: a share that was taken back would show there. */
  isCurrent: () => boolean;
}

/** What to write, given what was seen; null: nothing is to be done. */
export type Edit = (seen: Workbench) => PatchOperation[] | null | Promise<PatchOperation[] | null>;

/**
 * Each further attempt starts from a live read, so it fails again only if somebody wrote in between: more attempts than
 * people who share one workbench at the same moment.
 */
export const ATTEMPTS = 25;

export class Access {
  readonly #options: AccessOptions;
  /** The last edit under way of each workbench: those of one process wait for each other instead of undoing each other. */
  readonly #lanes = new Map<string, Promise<unknown>>();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** A user's own, and those that others share with them. @throws Problem 503 when it cannot be known what is still shared */
  async all(user: string): Promise<Workbench[]> {
    const { store, isCurrent } = this.#options;
    const own = store.collections.Workbench.indexed(user);
    const shared = store.sharedWith(user);
    if (shared.length === 0 || isCurrent()) return [...own, ...shared];
    const live = await Promise.all(shared.map(async ({ metadata }) => this.#stillShared(user, metadata.name)));
    return [...own, ...live.flat()];
  }

  async #stillShared(user: string, id: string): Promise<Workbench[]> {
    try {
      return [await this.live(user, id, 'read')];
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return [];
      throw error;
    }
  }

  /**
   * From the store if it is there and this user may do what is needed; all else is settled live, so that nobody learns what is
   * there by the way it fails. @throws Problem 403, 404
   */
  async seen(user: string, id: string, needed: Right): Promise<Workbench> {
    const known = this.known(user, id);
    return known?.isSure && includes(known.right, needed) ? known.workbench : this.live(user, id, needed);
  }

  /** What the store says, for whoever cannot wait. @param isSure whether a share that was taken back would be known */
  known(user: string, id: string): { workbench: Workbench; right: Right; isSure: boolean } | undefined {
    const workbench = this.#options.store.collections.Workbench.get(id);
    const right = workbench && permissionOf(workbench, user);
    return right && { workbench, right, isSure: right === 'owner' || this.isCurrent };
  }

  get isCurrent(): boolean {
    return this.#options.isCurrent();
  }

  /** @throws Problem 403, 404 */
  async live(user: string, id: string, needed: Right): Promise<Workbench> {
    if (!NAME.test(id)) throw noSuchWorkbench(id);
    const live = await this.#options.cluster.get('Workbench', id).catch((error: unknown) => {
      throw isKubeError(error, 'notFound') ? noSuchWorkbench(id) : error;
    });
    const right = permissionOf(live, user);
    if (right === undefined) throw noSuchWorkbench(id);
    if (!includes(right, needed)) throw needed === 'owner' ? NOT_OWNER : READ_ONLY;
    return live;
  }

  /**
   * Writes to the very object that was seen, while the user may still do it. A refusal means that what was seen is not so any
   * more: read live, and decide by what is there.
   */
  async edit(user: string, id: string, needed: Right, edit: Edit): Promise<Workbench> {
    // By user, too: nobody waits for, or hears of, what others try.
    const lane = `${user}\n${id}`;
    const before = this.#lanes.get(lane);
    const mine = (before ?? Promise.resolve()).catch(() => undefined).then(() => this.#editNow(user, id, needed, edit));
    this.#lanes.set(lane, mine);
    try {
      return await mine;
    } finally {
      if (this.#lanes.get(lane) === mine) this.#lanes.delete(lane);
    }
  }

  async #editNow(user: string, id: string, needed: Right, edit: Edit): Promise<Workbench> {
    let seen = await this.seen(user, id, needed);
    // What stands in the way of an edit may be over, or another's who had the name.
    const { deletionTimestamp, annotations } = seen.metadata;
    if (deletionTimestamp || annotations?.[STATE_MANAGER]) seen = await this.live(user, id, needed);
    for (let attempt = 1; ; attempt++) {
      const operations = await edit(seen);
      if (operations === null) return seen;
      if (seen.metadata.deletionTimestamp) {
        throw new Problem(409, 'BeingDeleted', 'This workbench is being deleted.');
      }
      const proof = proofOf(seen, user);
      try {
        return await this.#options.cluster.patch('Workbench', id, seen.metadata.uid!, [proof, ...operations]);
      } catch (error) {
        if (!isBehind(error)) throw error;
        if (attempt === ATTEMPTS) throw contended();
        seen = await this.live(user, id, needed);
      }
    }
  }
}

/** What was seen is so no more; or somebody else has just made the same entry of a list. */
function isBehind(error: unknown): boolean {
  if (isFailedTest(error) || isKubeError(error, 'conflict', 'notFound')) return true;
  return isKubeError(error, 'invalid') && error.hasCause('FieldValueDuplicate');
}

const NOT_OWNER = new Problem(
  403,
  'NotOwner',
  'This workbench is shared with you; only its owner can change, share or delete it.',
);
const READ_ONLY = new Problem(
  403,
  'ReadOnly',
  'This workbench is shared with you for reading; ask its owner for read-write to start or stop it.',
);
