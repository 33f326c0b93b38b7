/**
 * Watches a namespace on connections of its own, whole objects of all four kinds, and keeps what must never be: the invariants
 * of ../docs/faults.md, as far as they can be seen from outside.
 */
import { Collection, isNewer } from '../src/kube/collection.ts';
import { connect } from '../src/kube/connect.ts';
import { KINDS, collectionPath } from '../src/kube/kinds.ts';
import type { Kind, KindTypes } from '../src/kube/kinds.ts';
import { Reflector } from '../src/kube/reflector.ts';
import { createTransport } from '../src/kube/transport.ts';
import { mounts } from '../src/workbench/home.ts';
import { LABEL_ID, LABEL_UID, controllerOf, uidOf } from '../src/workbench/identity.ts';
import type { KubeObject, ObjectMeta, Pod } from '../src/workbench/objects.ts';
import { isOver, isReady } from '../src/workbench/phase.ts';
import { KIND } from '../src/workbench/resource.ts';
import type { Workbench } from '../src/workbench/resource.ts';

export interface Observer {
  /** One sentence each; a workbench's begin with its name. Resolves when all that was seen by now is judged. */
  violations: () => Promise<string[]>;
  /** UIDs of all Pods ever seen of one Workbench. */
  podsOf: (name: string) => Set<string>;
  /** What is there of one Workbench now: itself first, then what names it as its controller, by our label or by its own name. */
  view: (name: string) => Seen[];
  workbench: (name: string) => Workbench | undefined;
  /** Whether an object of this name may be changed by the controller: it is of a Workbench, or nobody's with a Workbench's label. */
  mayWrite: (plural: string, name: string) => boolean;
  /** What must be so of a Workbench whenever it is at rest, in sentences about what is not. */
  atRest: (name: string) => string[];
  /** Resolves when it is so, looking after each change; with whether it came to be so in time. */
  until: (isSo: () => boolean, timeoutMs: number) => Promise<boolean>;
  stop: () => Promise<void>;
}

/** Of nobody's in particular: what was not seen cannot be judged. */
export const BLIND = "the observer's own watch of Pods lost its place";

export type Seen = KubeObject & { kind: Kind };

const kinds = Object.keys(KINDS) as Kind[];

export async function observe(kubeconfig: string, namespace: string): Promise<Observer> {
  const violations: string[] = [];
  const pods = new Map<string, Set<string>>();
  /** resourceVersions with which Pods were first seen ready, by UID. */
  const readyAt = new Map<string, string>();
  const waiting = new Set<() => void>();
  /** What is still to be judged. */
  const judging = new Set<Promise<void>>();
  const collections = Object.fromEntries(
    kinds.map((kind) => [
      kind,
      new Collection({
        indexBy: (object) => [concerns(object)],
        onChange(object) {
          check(kind, object);
          for (const look of waiting) look();
        },
      }),
    ]),
  ) as unknown as { [K in Kind]: Collection<KindTypes[K]> };
  const transport = createTransport(connect(kubeconfig), 'observer');
  const stopping = new AbortController();

  function check(kind: Kind, object: KubeObject): void {
    if (kind === 'Pod') checkPod(object);
    if (kind === 'Workbench') checkRunning(object as Workbench);
  }

  /** I1 and I2, at each change of a Pod. */
  function checkPod(pod: Pod): void {
    const owner = controllerOf(pod);
    const { uid, resourceVersion } = pod.metadata;
    if (isReady(pod) && !readyAt.has(uid!)) readyAt.set(uid!, resourceVersion!);
    if (owner?.kind !== KIND) return;
    const all = pods.get(owner.name) ?? new Set();
    pods.set(owner.name, all.add(pod.metadata.uid!));
    const alive = ofKind('Pod', owner.name).filter(
      (other) => controllerOf(other)?.uid === owner.uid && !other.metadata.deletionTimestamp,
    );
    if (alive.length > 1)
      violations.push(
        `${owner.name} has ${alive.length} Pods: ${alive.map(({ metadata }) => metadata.name).join(', ')}`,
      );
    // I1 of volumes: also one that is on its way out may still write.
    for (const { persistentVolumeClaim: claim } of pod.spec?.volumes ?? []) {
      const all = claim ? [...collections.Pod.values()].filter((other) => mounts(other, claim.claimName)) : [];
      if (all.length > 1)
        violations.push(`${claim!.claimName} is mounted by ${all.map((one) => one.metadata.name).join(', ')}`);
    }
    const label = pod.metadata.labels?.[LABEL_UID];
    if (label !== undefined && label !== owner.uid)
      violations.push(`${owner.name}'s Pod bears the label that the Service of ${label} selects`);
  }

  /** I8, at each change of a status: the Pod that it speaks of must be this Workbench's and have been ready. */
  function checkRunning({ metadata, status }: Workbench): void {
    if (status?.phase !== 'Running' || status.podUID === undefined || !isOwnWord(metadata)) return;
    const { podUID } = status;
    const isItsOwn = () => pods.get(metadata.name)?.has(podUID) === true;
    // The watches of two kinds are not in step, but all that is written has one order.
    const judged = until(() => isItsOwn() && readyAt.has(podUID), LAG_MS).then((isSeen) => {
      judging.delete(judged);
      if (stopping.signal.aborted) return;
      if (!isSeen || isNewer(readyAt.get(podUID), metadata.resourceVersion))
        violations.push(
          `${metadata.name} was called running with a Pod that is not ${isItsOwn() ? 'ready' : 'its own'}: ${podUID}`,
        );
    });
    judging.add(judged);
  }

  function ofKind<K extends Kind>(kind: K, name: string): KindTypes[K][] {
    return collections[kind].indexed(name);
  }

  function view(name: string): Seen[] {
    return kinds.flatMap((kind) => ofKind(kind, name).map((object) => ({ ...object, kind }) as Seen));
  }

  function atRest(name: string): string[] {
    const workbench = collections.Workbench.get(name);
    const problems: string[] = [];
    const children = view(name).filter((object) => controllerOf(object)?.kind === KIND);
    // I7. A Workbench on its way takes its children along.
    const orphans = children.filter((child) => controllerOf(child)?.uid !== (workbench && uidOf(workbench)));
    for (const { kind, metadata } of orphans) problems.push(`${name} is gone and has left ${kind} ${metadata.name}`);
    if (!workbench) return problems;
    const { status, metadata, spec } = workbench;
    const alive = ofKind('Pod', name).filter((pod) => !pod.metadata.deletionTimestamp && !isOver(pod));
    if (status?.phase === 'Running') {
      const pod = alive.find(({ metadata: { uid } }) => uid === status.podUID);
      if (!pod || !isReady(pod)) problems.push(`${name} is called running and its Pod is not ready`);
    }
    if (status?.observedGeneration !== metadata.generation)
      problems.push(`${name} rests at generation ${status?.observedGeneration} of ${metadata.generation}`);
    // I2
    for (const { metadata: service, spec: to } of ofKind('Service', name)) {
      if (to?.selector?.[LABEL_UID] !== uidOf(workbench)) problems.push(`${service.name} selects others than ${name}`);
    }
    // I14
    if (spec.state === 'Stopped' && alive.length > 0) problems.push(`${name} is stopped and has a Pod`);
    const routes = ofKind('Ingress', name).filter((route) => controllerOf(route)?.uid === uidOf(workbench));
    if (spec.state === 'Stopped' && routes.length > 0) problems.push(`${name} is stopped and has a route`);
    return problems;
  }

  function mayWrite(plural: string, name: string): boolean {
    const kind = kinds.find((one) => KINDS[one].plural === plural);
    const object = kind && collections[kind].get(name);
    if (!object || kind === 'Workbench') return true;
    const owner = controllerOf(object);
    return owner ? owner.kind === KIND : object.metadata.labels?.[LABEL_UID] !== undefined;
  }

  function until(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (result: boolean) => {
        waiting.delete(look);
        clearTimeout(timer);
        resolve(result);
      };
      const look = () => isSo() && finish(true);
      const timer = setTimeout(() => finish(isSo()), timeoutMs).unref();
      waiting.add(look);
      look();
    });
  }

  const reflectors = kinds.map(
    (kind) =>
      new Reflector<KubeObject>({
        info: { kind, trim: (object) => object },
        path: collectionPath(kind, namespace),
        transport,
        collection: collections[kind] as unknown as Collection<KubeObject>,
        signal: stopping.signal,
        onProblem: () => undefined,
      }),
  );
  const ended = reflectors.map((reflector) => reflector.run());
  await Promise.all(reflectors.map((reflector) => reflector.synced));
  return {
    async violations() {
      while (judging.size > 0) await Promise.all(judging);
      // A watch that is cut goes on where it was; listed anew, a Pod that came and went meanwhile would not be seen.
      const isBlind = reflectors.some(({ kind, lists }) => kind === 'Pod' && lists.lost > 0);
      return isBlind ? [...violations, BLIND] : violations;
    },
    podsOf: (name) => pods.get(name) ?? new Set(),
    view,
    workbench: (name) => collections.Workbench.get(name),
    mayWrite,
    atRest,
    until,
    async stop() {
      stopping.abort();
      await Promise.all(ended);
      await transport.close();
    },
  };
}

const LAG_MS = 10_000;

/** How the API server calls who wrote: the User-Agent, up to its first slash. */
const CONTROLLER = 'workbench-controller';

/** Whether nobody but a controller has written what the status says now: tests make statuses up, too. */
function isOwnWord({ managedFields = [] }: ObjectMeta): boolean {
  return managedFields.every(
    ({ manager, subresource }) => subresource !== 'status' || manager?.startsWith(CONTROLLER) === true,
  );
}

/** The Workbench that an object is about, whoever's it is: by its controller, our label, or (a stranger on our path) its name. */
function concerns(object: KubeObject): string {
  const owner = controllerOf(object);
  return owner?.kind === KIND ? owner.name : (object.metadata.labels?.[LABEL_ID] ?? object.metadata.name);
}
