/** Everything that is read: one collection per kind, filled by reflectors and by our own writes. */
import type { WorkbenchClass } from '../workbench/class.ts';
import { ownerOf } from '../workbench/home.ts';
import { LABEL_ID, claimName, controllerOf, ingressName, isOurs, podName, serviceName } from '../workbench/identity.ts';
import type { Sibling } from '../workbench/limits.ts';
import type { Claim, KubeObject, Pod } from '../workbench/objects.ts';
import type { Snapshot } from '../workbench/plan.ts';
import { KIND } from '../workbench/resource.ts';
import type { Workbench } from '../workbench/resource.ts';
import { Collection } from './collection.ts';
import type { Kind, KindTypes } from './kinds.ts';

/**
 * The name of the Workbench that an object concerns: by its controller reference; an Ingress of anybody's by its own name; a
 * Pod, Service or claim of nobody's by our label, which may have been copied onto it.
 */
function concerns(kind: Kind, object: KubeObject): string | undefined {
  if (kind === 'Workbench') return object.metadata.name;
  const owner = controllerOf(object);
  if (owner?.kind === KIND) return owner.name;
  return kind === 'Ingress' ? object.metadata.name : object.metadata.labels?.[LABEL_ID];
}

/** A line break is in no name of a user. */
const byShare = (user: string) => `shared\n${user}`;

/** A "/" is in no name of a workbench. */
const byClaim = (name: string) => `claim/${name}`;

function claimsOf({ spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => (claim ? [byClaim(claim.claimName)] : []));
}

export type Listener = (key: string) => void;

function call(listeners: Set<Listener>, key: string): void {
  for (const listener of listeners) listener(key);
}

export class Store {
  readonly #listeners = new Set<Listener>();
  readonly #followers = new Set<Listener>();
  readonly collections: { [K in Kind]: Collection<KindTypes[K]> } = {
    Workbench: new Collection({
      indexBy: ({ spec }) =>
        spec.shares ? [spec.owner, ...spec.shares.map(({ user }) => byShare(user))] : [spec.owner],
      onChange: (...changed) => this.#tell('Workbench', changed),
      onOwnStatus: ({ metadata }) => call(this.#followers, metadata.name),
    }),
    WorkbenchClass: new Collection({ onChange: ({ metadata }) => this.#tellUsersOf(metadata.name) }),
    Pod: new Collection({
      indexBy: (object) => [concerns('Pod', object), ...claimsOf(object)],
      onChange: (...changed) => this.#tell('Pod', changed),
    }),
    Service: new Collection({ onChange: (...changed) => this.#tell('Service', changed) }),
    Ingress: new Collection({ onChange: (...changed) => this.#tell('Ingress', changed) }),
    PersistentVolumeClaim: new Collection({
      indexBy: (object) => [ownerOf(object)],
      onChange: (...changed) => this.#tell('PersistentVolumeClaim', changed),
    }),
    ResourceQuota: new Collection(),
  };

  /** Calls back with the name of a Workbench whenever it, or a child of it, has changed. */
  onChange(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** The same, and of what this process writes itself: for whoever shows it. */
  onAnyChange(follower: Listener): void {
    this.#followers.add(follower);
  }

  /** The same number means that nothing at all has changed. */
  get revision(): number {
    let sum = 0;
    for (const kind in this.collections) sum += this.collections[kind as Kind].revision;
    return sum;
  }

  /** All that is known of one Workbench, gathered once per pass. */
  snapshot(key: string): Snapshot {
    const workbench = this.collections.Workbench.get(key);
    if (!workbench) return { pods: [] };
    const pods = this.collections.Pod.indexed(key);
    const namesake = this.collections.Pod.get(podName(workbench));
    if (namesake && !pods.includes(namesake)) pods.push(namesake);
    const service = this.collections.Service.get(serviceName(workbench));
    const ingress = this.collections.Ingress.get(ingressName(workbench));
    const found = this.classOf(workbench);
    const claim = this.collections.PersistentVolumeClaim.get(claimName(workbench));
    const rival = claim && this.rivalFor(claim, workbench);
    const mountedBy = claim ? this.mounting(claim.metadata.name).filter((pod) => !isOurs(pod, workbench)) : [];
    return {
      workbench,
      pods,
      ...(claim ? { claim } : {}),
      ...(rival ? { rival } : {}),
      ...(mountedBy.length > 0 ? { mountedBy } : {}),
      ...(found ? { class: found } : {}),
      ...(service ? { service } : {}),
      ...(ingress ? { ingress } : {}),
    };
  }

  /** Another workbench of the claim's own owner that has it in its spec, where this one was given to somebody else. */
  rivalFor(claim: Claim, { spec }: Workbench): Workbench | undefined {
    const owner = ownerOf(claim);
    if (owner === undefined || owner === spec.owner) return undefined;
    return this.collections.Workbench.indexed(owner).find((other) => claimName(other) === claim.metadata.name);
  }

  /** An owner's volumes, whichever workbench has them. */
  claimsOf(owner: string): Claim[] {
    return this.collections.PersistentVolumeClaim.indexed(owner);
  }

  /** Workbenches of others that are shared with a user. */
  sharedWith(user: string): Workbench[] {
    return this.collections.Workbench.indexed(byShare(user)).filter(({ spec }) => spec.owner !== user);
  }

  /** Pods that mount a claim, those on their way out included. */
  mounting(name: string): Pod[] {
    return this.collections.Pod.indexed(byClaim(name));
  }

  /** The class that a Workbench names, if there is one. */
  classOf({ spec }: Workbench): WorkbenchClass | undefined {
    return spec.class === undefined ? undefined : this.collections.WorkbenchClass.get(spec.class);
  }

  /** The owner's other workbenches. */
  siblings({ metadata: { name }, spec }: Workbench): Sibling[] {
    const others = this.collections.Workbench.indexed(spec.owner).filter((other) => other.metadata.name !== name);
    return others.map((workbench) => {
      const found = this.classOf(workbench);
      const hasPod = this.collections.Pod.indexed(workbench.metadata.name).length > 0;
      const hasClaim = this.collections.PersistentVolumeClaim.get(claimName(workbench)) !== undefined;
      return { workbench, ...(found ? { class: found } : {}), hasPod, hasClaim };
    });
  }

  /** Looked for among all: an admin changes a class a few times a year. */
  #tellUsersOf(name: string): void {
    for (const { metadata, spec } of this.collections.Workbench.values()) {
      if (spec.class === name) this.#call(metadata.name);
    }
  }

  /** Whoever had the object before must hear of its loss as well: owners change, and names are used again. */
  #tell(kind: Kind, changed: (KubeObject | undefined)[]): void {
    const keys = new Set(changed.map((object) => object && concerns(kind, object)));
    keys.delete(undefined);
    for (const key of keys) this.#call(key!);
  }

  #call(key: string): void {
    call(this.#listeners, key);
    call(this.#followers, key);
  }
}
