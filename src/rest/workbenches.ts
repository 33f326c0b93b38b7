/** What a client can do with workbenches: reads from the store, writes of `spec` that never trust it. */
import type { Cluster } from '../kube/cluster.ts';
import { isFailedTest, isKubeError } from '../kube/errors.ts';
import type { Store } from '../kube/store.ts';
import type { PatchOperation } from '../workbench/objects.ts';
import { API_VERSION, KIND, NAME } from '../workbench/resource.ts';
import type { Workbench, WorkbenchSpec } from '../workbench/resource.ts';
import type { Settings } from '../workbench/settings.ts';
import { STATE_MANAGER } from '../workbench/trim.ts';
import { checkEnv, specAfter, specFrom } from './body.ts';
import type { CreateBody, PatchBody } from './body.ts';
import { Grants } from './grants.ts';
import { once } from './idempotency.ts';
import { newName } from './new-name.ts';
import { Problem, contended, noSuchWorkbench } from './problem.ts';
import { Items } from './items.ts';
import { assign, sameGeneration, samePhase } from './edit.ts';
import { phaseNow } from './view.ts';
import type { Item } from './shapes.ts';

export interface WorkbenchesOptions {
  store: Pick<Store, 'collections' | 'classOf' | 'siblings' | 'claimsOf' | 'revision'>;
  cluster: Cluster;
  settings: Settings;
}

/** An item, and which incarnation of its id it is of. */
export interface Seen {
  uid: string;
  item: Item;
}

/** What to write, given what was seen; null: nothing is to be done. */
type Edit = (seen: Workbench) => PatchOperation[] | null | Promise<PatchOperation[] | null>;

/** Each further attempt starts from a live read, so it fails again only if somebody wrote in between. */
const ATTEMPTS = 5;

export class Workbenches {
  readonly #store: WorkbenchesOptions['store'];
  readonly #cluster: Cluster;
  readonly #grants: Grants;
  /** The last edit under way of each workbench: those of one process wait for each other instead of undoing each other. */
  readonly #lanes = new Map<string, Promise<unknown>>();
  readonly #items: Items;

  constructor({ store, cluster, settings }: WorkbenchesOptions) {
    this.#items = new Items({ store, settings });
    this.#grants = new Grants({ store, cluster, settings });
    this.#store = store;
    this.#cluster = cluster;
  }

  /** For as long as it is the same, every read is answered as before. */
  get revision(): number {
    return this.#store.revision;
  }

  list(user: string): Item[] {
    const mine = this.#store.collections.Workbench.indexed(user);
    return mine.toSorted(byBirth).map((workbench) => this.#items.of(workbench));
  }

  /** From the store; on a miss one live read, since the watch may not have brought it yet. @throws Problem 404 */
  async get(user: string, id: string): Promise<Item> {
    return this.#items.of(await this.#seen(user, id));
  }

  /** As the store has it; undefined: there is none of that name, or it is not this user's. */
  look(user: string, id: string): Seen | undefined {
    const known = this.#mine(user, id);
    return known && { uid: known.metadata.uid!, item: this.#items.of(known) };
  }

  /** @param key of a client that may send this again */
  async create(user: string, body: CreateBody, key?: string): Promise<Item> {
    checkEnv(body.env);
    const spec = specFrom(user, body);
    if (key === undefined) return this.#items.of(await this.#make(newName(), spec));
    const made = await once(key, spec, {
      known: (name) => this.#store.collections.Workbench.get(name),
      live: (name) => this.#cluster.get('Workbench', name),
      make: (name, annotations) => this.#make(name, spec, { annotations }),
    });
    return this.#items.of(made);
  }

  async #make(name: string, spec: WorkbenchSpec, marks: object = {}): Promise<Workbench> {
    await this.#grants.check(spec);
    await this.#grants.checkStart({ metadata: { name: '' }, spec });
    const metadata = { name, namespace: this.#cluster.namespace, ...marks };
    const object = { apiVersion: API_VERSION, kind: KIND, metadata, spec };
    try {
      return await this.#cluster.create('Workbench', object);
    } catch (error) {
      if (!isKubeError(error, 'unreachable')) throw error;
      // The write may have been done and only its answer lost. The name is ours alone, so one look settles it.
      return this.#cluster.get('Workbench', name).catch(() => Promise.reject(error as Error));
    }
  }

  async start(user: string, id: string): Promise<void> {
    await this.#edit(user, id, async (seen) => {
      this.#refuseManaged(seen);
      // Its phase too: a status changes no generation, and a running workbench must not be started anew for an old failure.
      const unchanged = [sameGeneration(seen), ...samePhase(seen)];
      const isUp = seen.spec.state !== 'Stopped';
      // Nothing to do, by what was seen: the patch then only asks the API server whether that is still so.
      if (isUp && phaseNow(seen).phase !== 'Failed') return unchanged;
      await this.#grants.checkStart(seen);
      return [
        ...unchanged,
        { op: 'add', path: '/spec/state', value: 'Running' },
        { op: 'add', path: '/spec/run', value: newName().slice(3) },
      ];
    });
  }

  /** Sent whatever was seen: a stop must not be lost to a cache that is behind. */
  async stop(user: string, id: string): Promise<void> {
    await this.#edit(user, id, (seen) => {
      if (seen.metadata.deletionTimestamp) return null; // It is on its way down already.
      this.#refuseManaged(seen);
      return [{ op: 'add', path: '/spec/state', value: 'Stopped' }];
    });
  }

  async patch(user: string, id: string, body: PatchBody): Promise<Item> {
    checkEnv(body.env);
    const sizes = [body.requested_cpu, body.requested_memory, body.requested_gpu];
    const choices = [body.class, body.version, body.image, body.storage, ...sizes];
    const edited = await this.#edit(user, id, async (seen) => {
      // A new name is for everybody, also where what was chosen before is no longer granted.
      const after = specAfter(seen.spec, body);
      if (choices.some((choice) => choice !== undefined)) await this.#grants.check(after);
      if (body.storage) await this.#grants.checkSize({ ...seen, spec: after });
      const operations = [
        ...assign('/spec/displayName', seen.spec.displayName, body.workbench_name),
        ...assign('/spec/class', seen.spec.class, body.class),
        ...assign('/spec/version', seen.spec.version, body.version),
        ...assign('/spec/image', seen.spec.image, body.image),
        ...assign('/spec/env', seen.spec.env, body.env),
      ];
      // Sizes are merged into what was seen, and what is not there cannot be removed: then it must still be as it was seen.
      const resizes = sizes.some((size) => size !== undefined);
      const resources = resizes ? (after.resources ?? null) : undefined;
      operations.push(...assign('/spec/resources', seen.spec.resources, resources));
      const storage = body.storage === undefined ? undefined : (after.storage ?? null);
      operations.push(...assign('/spec/storage', seen.spec.storage, storage));
      return resizes || body.storage !== undefined || Object.values(body).includes(null)
        ? [sameGeneration(seen), ...operations]
        : operations;
    });
    return this.#items.of(edited);
  }

  /** In the foreground: the item says "stopping" until nothing of it is left. Looks live first: a delete cannot be taken back. */
  async delete(user: string, id: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const seen = await this.#live(user, id);
      if (seen.metadata.deletionTimestamp) return;
      try {
        return await this.#cluster.delete('Workbench', id, { uid: seen.metadata.uid!, propagation: 'Foreground' });
      } catch (error) {
        if (!isKubeError(error, 'conflict') || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** From the store if it is there and this user's; all else is settled live, so that nobody learns what is there by the way it fails. */
  async #seen(user: string, id: string): Promise<Workbench> {
    return this.#mine(user, id) ?? this.#live(user, id);
  }

  #mine(user: string, id: string): Workbench | undefined {
    const cached = this.#store.collections.Workbench.get(id);
    return cached?.spec.owner === user ? cached : undefined;
  }

  async #live(user: string, id: string): Promise<Workbench> {
    if (!NAME.test(id)) throw noSuchWorkbench(id);
    const live = await this.#cluster.get('Workbench', id).catch((error: unknown) => {
      throw isKubeError(error, 'notFound') ? noSuchWorkbench(id) : error;
    });
    if (live.spec.owner !== user) throw noSuchWorkbench(id);
    return live;
  }

  /**
   * Writes to the very object that was seen, while it is still its owner's. A refusal means that what was seen is not so any
   * more: read live, and decide by what is there.
   */
  async #edit(user: string, id: string, edit: Edit): Promise<Workbench> {
    // By user, too: nobody waits for, or hears of, what others try.
    const lane = `${user}\n${id}`;
    const before = this.#lanes.get(lane);
    const mine = (before ?? Promise.resolve()).catch(() => undefined).then(() => this.#editNow(user, id, edit));
    this.#lanes.set(lane, mine);
    try {
      return await mine;
    } finally {
      if (this.#lanes.get(lane) === mine) this.#lanes.delete(lane);
    }
  }

  async #editNow(user: string, id: string, edit: Edit): Promise<Workbench> {
    let seen = await this.#seen(user, id);
    // What stands in the way of an edit may be over, or another's who had the name.
    const { deletionTimestamp, annotations } = seen.metadata;
    if (deletionTimestamp || annotations?.[STATE_MANAGER]) seen = await this.#live(user, id);
    for (let attempt = 1; ; attempt++) {
      const operations = await edit(seen);
      if (operations === null) return seen;
      if (seen.metadata.deletionTimestamp) {
        throw new Problem(409, 'BeingDeleted', 'This workbench is being deleted.');
      }
      const owner: PatchOperation = { op: 'test', path: '/spec/owner', value: user };
      try {
        return await this.#cluster.patch('Workbench', id, seen.metadata.uid!, [owner, ...operations]);
      } catch (error) {
        const isBehind = isFailedTest(error) || isKubeError(error, 'conflict', 'notFound');
        if (!isBehind) throw error;
        if (attempt === ATTEMPTS) throw contended();
        seen = await this.#live(user, id);
      }
    }
  }

  /** Two masters of one field would undo each other for ever. */
  #refuseManaged({ metadata }: Workbench): void {
    const manager = metadata.annotations?.[STATE_MANAGER];
    if (manager === undefined) return;
    const message = `spec.state is kept by "${manager}"; start or stop this workbench there, or leave state out of its manifest.`;
    throw new Problem(409, 'ManagedElsewhere', message);
  }
}

function byBirth({ metadata: a }: Workbench, { metadata: b }: Workbench): number {
  if (a.creationTimestamp === b.creationTimestamp) return a.name < b.name ? -1 : 1;
  return a.creationTimestamp! < b.creationTimestamp! ? -1 : 1;
}
