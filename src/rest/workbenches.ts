/** What a client can do with workbenches: reads from the store, writes of `spec` that never trust it. */
import type { Cluster } from '../kube/cluster.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Store } from '../kube/store.ts';
import { API_VERSION, KIND } from '../workbench/resource.ts';
import type { Workbench, WorkbenchSpec } from '../workbench/resource.ts';
import type { Settings } from '../workbench/settings.ts';
import { permissionOf } from '../workbench/shares.ts';
import { STATE_MANAGER } from '../workbench/trim.ts';
import { ATTEMPTS } from './access.ts';
import type { Access } from './access.ts';
import { checkEnv, specAfter, specFrom } from './body.ts';
import type { CreateBody, PatchBody } from './body.ts';
import { Grants } from './grants.ts';
import { once } from './idempotency.ts';
import { newName } from './new-name.ts';
import { Problem } from './problem.ts';
import { Items } from './items.ts';
import { assign, sameGeneration, samePhase } from './edit.ts';
import { phaseNow } from './view.ts';
import type { Item } from './shapes.ts';
import type { Caller } from './tokens.ts';
import { transferSteps } from './transfer.ts';

export interface WorkbenchesOptions {
  store: Pick<Store, 'collections' | 'classOf' | 'siblings' | 'claimsOf' | 'rivalFor' | 'revision'>;
  cluster: Cluster;
  settings: Settings;
  access: Access;
}

/** An item, and which incarnation of its id it is of. */
export interface Seen {
  uid: string;
  item: Item;
  /** Whether that it may be seen is certain: a share that was taken back might not be known yet. */
  isSure: boolean;
}

export class Workbenches {
  readonly #store: WorkbenchesOptions['store'];
  readonly #cluster: Cluster;
  readonly #grants: Grants;
  readonly #access: Access;
  readonly #items: Items;

  constructor({ store, cluster, settings, access }: WorkbenchesOptions) {
    this.#items = new Items({ store, settings });
    this.#grants = new Grants({ store, cluster, settings });
    this.#store = store;
    this.#cluster = cluster;
    this.#access = access;
  }

  /** For as long as it is the same, every list is; undefined: what is shared must be asked for live. */
  get revision(): number | undefined {
    return this.#access.isCurrent ? this.#store.revision : undefined;
  }

  /** A user's own, and those that are shared with them. */
  async list(user: string): Promise<Item[]> {
    const all = await this.#access.all(user);
    return all.toSorted(byBirth).map((workbench) => this.#itemFor(user, workbench));
  }

  /** From the store; on a miss one live read, since the watch may not have brought it yet. @throws Problem 404 */
  async get(user: string, id: string): Promise<Item> {
    return this.#itemFor(user, await this.#access.seen(user, id, 'read'));
  }

  /** As the store has it; undefined: there is none of that name, or it is not this user's to see. */
  look(user: string, id: string): Seen | undefined {
    const known = this.#access.known(user, id);
    if (!known) return undefined;
    const { workbench, isSure } = known;
    return { uid: workbench.metadata.uid!, item: this.#itemFor(user, workbench), isSure };
  }

  /** @param key of a client that may send this again */
  async create(user: string, body: CreateBody, key?: string): Promise<Item> {
    checkEnv(body.env);
    const spec = specFrom(user, body);
    if (key === undefined) return this.#items.of(await this.#make(newName(), spec));
    const made = await once(key, spec, {
      // Only while it is told of what is deleted: else the API server is asked by the attempt itself.
      known: (name) => (this.#access.isCurrent ? this.#store.collections.Workbench.get(name) : undefined),
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
    await this.#access.edit(user, id, 'read-write', async (seen) => {
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
    await this.#access.edit(user, id, 'read-write', (seen) => {
      if (seen.metadata.deletionTimestamp) return null; // It is on its way down already.
      this.#refuseManaged(seen);
      return [{ op: 'add', path: '/spec/state', value: 'Stopped' }];
    });
  }

  async patch(caller: Caller, id: string, body: PatchBody): Promise<Item> {
    checkEnv(body.env);
    const { user_id: to } = body;
    if (to !== undefined && !caller.isAdmin) throw adminOnly();
    const sizes = [body.requested_cpu, body.requested_memory, body.requested_gpu];
    const choices = [body.class, body.version, body.image, body.storage, ...sizes];
    const owner = to !== undefined && (await this.#isOf(to, id)) ? to : caller.user;
    const edited = await this.#access.edit(owner, id, 'owner', async (seen) => {
      // A new name is for everybody, also where what was chosen before is no longer granted.
      const after = specAfter(seen.spec, body);
      if (choices.some((choice) => choice !== undefined)) await this.#grants.check(after);
      if (body.storage) await this.#grants.checkSize({ ...seen, spec: after });
      const operations = [
        ...(to === undefined ? [] : transferSteps(seen, to, this.#store)),
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
      const seen = await this.#access.live(user, id, 'owner');
      if (seen.metadata.deletionTimestamp) return;
      try {
        return await this.#cluster.delete('Workbench', id, { uid: seen.metadata.uid!, propagation: 'Foreground' });
      } catch (error) {
        if (!isKubeError(error, 'conflict') || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** An administrator who asks a second time finds it where it has gone. */
  async #isOf(user: string, id: string): Promise<boolean> {
    try {
      await this.#access.live(user, id, 'owner');
      return true;
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
  }

  /** What others share with a user says so. */
  #itemFor(user: string, workbench: Workbench): Item {
    const item = this.#items.of(workbench);
    const permission = permissionOf(workbench, user);
    return permission === undefined || permission === 'owner' ? item : { ...item, permission };
  }

  /** Two masters of one field would undo each other for ever. */
  #refuseManaged({ metadata }: Workbench): void {
    const manager = metadata.annotations?.[STATE_MANAGER];
    if (manager === undefined) return;
    const message = `spec.state is kept by "${manager}"; start or stop this workbench there, or leave state out of its manifest.`;
    throw new Problem(409, 'ManagedElsewhere', message);
  }
}

function adminOnly(): Problem {
  return new Problem(403, 'AdminOnly', 'Only an administrator can give a workbench to another owner.');
}

function byBirth({ metadata: a }: Workbench, { metadata: b }: Workbench): number {
  if (a.creationTimestamp === b.creationTimestamp) return a.name < b.name ? -1 : 1;
  return a.creationTimestamp! < b.creationTimestamp! ? -1 : 1;
}
