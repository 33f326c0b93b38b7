/**
 * One namespace as plain data: what the API server, its garbage collector, the scheduler and the kubelets do to objects, one
 * stage at a time and by a clock that only the test moves. Enough of them to play plans to their end. Nothing here is asked
 * over a wire: how the real ones behave is shown on the real ones (test/api).
 */
import { createHash } from 'node:crypto';
import { KINDS } from '../../src/kube/kinds.ts';
import type { Kind, KindTypes } from '../../src/kube/kinds.ts';
import { Store } from '../../src/kube/store.ts';
import { controllerOf } from '../../src/workbench/identity.ts';
import type { KubeObject, PatchOperation, Pod } from '../../src/workbench/objects.ts';
import { isOver, isReady } from '../../src/workbench/phase.ts';
import type { Snapshot } from '../../src/workbench/plan.ts';
import { KIND } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { isSame } from '../../src/workbench/same.ts';
import { isLeaving } from '../../src/workbench/steps.ts';

/** Keeps an object that is being deleted until `release`: a stand-in for whatever is slow to let go. */
export const HELD = 'example.com/held';
/** A node that says nothing any more. */
export const SILENT_NODE = 'silent';

const GRACE_MS = 30_000;

/** "conflict": another incarnation bears the name. "failed test": the JSON Patch did not apply. */
export type Answer = 'done' | 'not found' | 'already exists' | 'conflict' | 'failed test';

export class World {
  /** ms since 1970 */
  now: number;
  /** Grows with every change; the resourceVersion of the last. */
  version = 100;
  readonly #objects = new Map<string, { kind: Kind; object: KubeObject }>();

  constructor(now: number) {
    this.now = now;
  }

  get<K extends Kind>(kind: K, name: string): KindTypes[K] | undefined {
    return this.#objects.get(`${kind}/${name}`)?.object as KindTypes[K] | undefined;
  }

  list<K extends Kind>(kind: K): KindTypes[K][] {
    return [...this.#objects.values()]
      .filter((entry) => entry.kind === kind)
      .map(({ object }) => object as KindTypes[K]);
  }

  /** What a controller whose caches are in step sees of one Workbench. */
  snapshot(name: string): Snapshot {
    const store = new Store();
    const fill = <K extends Kind>(kind: K) =>
      store.collections[kind].replace(
        this.list(kind).map((object) => KINDS[kind].trim(object)),
        String(this.version),
      );
    (Object.keys(KINDS) as Kind[]).forEach(fill);
    return store.snapshot(name);
  }

  create(kind: Kind, object: KubeObject): Answer {
    const { name } = object.metadata;
    if (this.get(kind, name)) return 'already exists';
    const metadata = {
      uid: `${kind.toLowerCase()}-${this.version + 1}`,
      creationTimestamp: this.#time(),
      generation: 1,
      ...object.metadata,
    };
    const born = { ...(kind === 'Pod' ? { status: { phase: 'Pending' } } : {}), ...object, metadata };
    this.#set(kind, born);
    return 'done';
  }

  patch(kind: Kind, name: string, uid: string, operations: readonly PatchOperation[]): Answer {
    const before = this.get(kind, name);
    if (!before) return 'not found';
    const after = patched(before, [{ op: 'test', path: '/metadata/uid', value: uid }, ...operations]);
    if (!after) return 'failed test';
    if (!isSame(before, after)) this.#set(kind, after);
    return 'done';
  }

  /** What a person does with an editor, or a kubelet with a status. */
  edit<K extends Kind>(kind: K, name: string, change: (object: KindTypes[K]) => KindTypes[K]): void {
    const object = this.get(kind, name);
    if (object) this.#set(kind, change(object));
  }

  delete(kind: Kind, name: string, uid: string, { force = false, finalizer = '' } = {}): Answer {
    const object: KubeObject | undefined = this.get(kind, name);
    if (!object) return 'not found';
    if (object.metadata.uid !== uid) return 'conflict';
    const finalizers = [...(object.metadata.finalizers ?? []), ...(finalizer && !isLeaving(object) ? [finalizer] : [])];
    const waitsForKubelet = kind === 'Pod' && !force && isWatchedOver(object);
    if (finalizers.length === 0 && !waitsForKubelet) this.#remove(kind, object);
    else if (!isLeaving(object)) {
      const deletionTimestamp = this.#time(waitsForKubelet ? GRACE_MS : 0);
      const kept = finalizers.length > 0 ? { finalizers } : {};
      this.#set(kind, { ...object, metadata: { ...object.metadata, deletionTimestamp, ...kept } });
    }
    return 'done';
  }

  /** Whatever was slow to let go does so. @returns whether there was anything */
  release(finalizer = HELD): boolean {
    const before = this.version;
    for (const { kind, object } of this.#objects.values()) {
      if (object.metadata.finalizers?.includes(finalizer)) this.#dropFinalizer(kind, object, finalizer);
    }
    return this.version !== before;
  }

  /** Everybody but the controller does what is next for each object. */
  tick(): void {
    this.now += 1_000;
    for (const { kind, object } of this.#objects.values()) {
      if (kind === 'Workbench') this.#collect(object as Workbench);
      else if (isAbandoned(object, this.list('Workbench')))
        this.delete(kind, object.metadata.name, object.metadata.uid!);
      if (kind === 'Pod') this.#kubelet(object as Pod);
    }
  }

  #kubelet(pod: Pod): void {
    if (this.get('Pod', pod.metadata.name) !== pod || pod.spec?.nodeName === SILENT_NODE) return;
    if (isLeaving(pod)) {
      if (!pod.metadata.finalizers?.length) this.#remove('Pod', pod);
    } else if (!pod.spec?.nodeName) {
      const conditions = [{ type: 'PodScheduled', status: 'True' as const }];
      this.#set('Pod', {
        ...pod,
        spec: { ...pod.spec!, nodeName: 'node-1' },
        status: { phase: 'Pending', conditions },
      });
    } else if (!isOver(pod) && !isReady(pod)) {
      const ready: Pod = { ...pod, status: readyStatus(pod, this.#time()) };
      this.#set('Pod', ready);
    }
  }

  /** A foreground deletion ends when no dependent blocks it, an orphaning one when all are set free. */
  #collect(workbench: Workbench): void {
    if (!isLeaving(workbench)) return;
    const { uid, finalizers } = workbench.metadata;
    const dependents = [...this.#objects.values()].filter(({ object }) =>
      object.metadata.ownerReferences?.some((reference) => reference.uid === uid),
    );
    if (finalizers?.includes('orphan')) {
      for (const { kind, object } of dependents) {
        const ownerReferences = object.metadata.ownerReferences!.filter((reference) => reference.uid !== uid);
        this.#set(kind, { ...object, metadata: { ...object.metadata, ownerReferences } });
      }
      this.#dropFinalizer('Workbench', workbench, 'orphan');
    } else if (finalizers?.includes('foregroundDeletion')) {
      for (const { kind, object } of dependents) this.delete(kind, object.metadata.name, object.metadata.uid!);
      if (dependents.length === 0) this.#dropFinalizer('Workbench', workbench, 'foregroundDeletion');
    }
  }

  #dropFinalizer(kind: Kind, object: KubeObject, finalizer: string): void {
    const finalizers = object.metadata.finalizers!.filter((other) => other !== finalizer);
    const kept = { ...object, metadata: { ...object.metadata, finalizers } };
    const isGone = finalizers.length === 0 && isLeaving(object) && kind !== 'Pod';
    if (isGone) this.#remove(kind, object);
    else this.#set(kind, kept);
  }

  #set(kind: Kind, object: Pod | KubeObject): void {
    const { metadata } = object;
    const before = kind === 'Workbench' ? this.get(kind, metadata.name) : undefined;
    this.version += 1;
    const isEdited = before !== undefined && !isSame(before.spec, (object as Workbench).spec);
    const generation = (metadata.generation ?? 1) + (isEdited ? 1 : 0);
    this.#objects.set(`${kind}/${metadata.name}`, {
      kind,
      object: { ...object, metadata: { ...metadata, generation, resourceVersion: String(this.version) } },
    });
  }

  #remove(kind: Kind, { metadata }: KubeObject): void {
    this.version += 1;
    this.#objects.delete(`${kind}/${metadata.name}`);
  }

  #time(laterMs = 0): string {
    return new Date(this.now + laterMs).toISOString();
  }
}

/** A kubelet has it, and says when it is gone. */
function isWatchedOver(pod: Pod): boolean {
  return pod.spec?.nodeName !== undefined && !isOver(pod);
}

/** Its owner is gone: the garbage collector's. */
function isAbandoned(object: KubeObject, workbenches: Workbench[]): boolean {
  const owner = controllerOf(object);
  return owner?.kind === KIND && !workbenches.some(({ metadata }) => metadata.uid === owner.uid);
}

/** What a tag leads to: always the same, so that a digest can be read back. */
export function digestFor(image: string): string {
  return `sha256:${createHash('sha256').update(image).digest('hex')}`;
}

export function readyStatus(pod: Pod, startedAt: string): NonNullable<Pod['status']> {
  const image = pod.spec!.containers[0]!.image;
  const imageID = image.includes('@') ? image : `${image.replace(/:[^:/]*$/, '')}@${digestFor(image)}`;
  return {
    phase: 'Running',
    podIP: '10.244.0.7',
    startTime: startedAt,
    conditions: ['PodScheduled', 'ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' })),
    containerStatuses: [
      { name: 'workbench', ready: true, restartCount: 0, imageID, state: { running: { startedAt } } },
    ],
  };
}

/** JSON Patch on members of objects, which is all that is ever sent; undefined: a test did not hold. */
function patched(object: KubeObject, operations: readonly PatchOperation[]): KubeObject | undefined {
  const copy = structuredClone(object) as unknown as Record<string, unknown>;
  for (const operation of operations) {
    const path = operation.path.split('/').slice(1);
    const last = path.pop()!;
    const parent = path.reduce((at, key) => at[key] as Record<string, unknown>, copy);
    if (operation.op === 'test' && !isSame(parent[last], operation.value)) return undefined;
    if (operation.op === 'remove') delete parent[last];
    else if (operation.op !== 'test') parent[last] = structuredClone(operation.value);
  }
  return copy as unknown as KubeObject;
}
