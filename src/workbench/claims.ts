/** Whose the objects are that stand where a workbench's own would be: ours, nobody's any more, or somebody else's. */
import {
  ANNOTATION_RUN,
  LABEL_UID,
  controllerOf,
  ingressName,
  isOurs,
  isPredecessors,
  podName,
  serviceName,
  uidOf,
} from './identity.ts';
import type { KubeObject, Pod } from './objects.ts';
import { isOver } from './phase.ts';
import type { Snapshot } from './plan.ts';
import type { Workbench } from './resource.ts';
import type { Verdict } from './status.ts';
import { adoption, isLeaving } from './steps.ts';
import type { ChildKind, Step } from './steps.ts';

type Children = Pick<Snapshot, 'pods' | 'service' | 'ingress'>;

/**
 * Of our making, by its name and label, with its owner reference edited away: left alone it would outlive its workbench, and a
 * Pod would run on beside its successor.
 */
function isLost(kind: ChildKind, child: KubeObject | undefined, workbench: Workbench): child is KubeObject {
  if (!child || controllerOf(child) || child.metadata.labels?.[LABEL_UID] !== uidOf(workbench)) return false;
  const { name, annotations } = child.metadata;
  if (kind === 'Service') return name === serviceName(workbench);
  if (kind === 'Ingress') return name === ingressName(workbench);
  const run = annotations?.[ANNOTATION_RUN];
  return run !== undefined && name === podName(workbench, run);
}

/** Its children are being set free on purpose (`--cascade=orphan`), so none of them is to be taken back. */
export function isOrphaning({ metadata }: Workbench): boolean {
  return metadata.finalizers?.includes('orphan') === true;
}

/** Puts the owner references back. */
export function adoptions(workbench: Workbench, { pods, service, ingress }: Children): Step[] {
  const children: [ChildKind, KubeObject | undefined][] = [
    ...pods.map((pod) => ['Pod', pod] as [ChildKind, KubeObject]),
    ['Service', service],
    ['Ingress', ingress],
  ];
  return children.flatMap(([kind, child]) =>
    isLost(kind, child, workbench) && !isLeaving(child) ? [adoption(workbench, kind, child)] : [],
  );
}

/** Ours, or will be in a moment. */
export function isOwn(kind: ChildKind, child: KubeObject | undefined, workbench: Workbench): boolean {
  return child !== undefined && (isOurs(child, workbench) || isLost(kind, child, workbench));
}

export function ownPods(workbench: Workbench, pods: Pod[]): Pod[] {
  return pods.filter((pod) => isOwn('Pod', pod, workbench));
}

/** Somebody else's object stands where ours would be: touch nothing, say so, look again. */
export function conflictOf(workbench: Workbench, { pods, service, ingress }: Children): Verdict | undefined {
  const isForeign = (kind: ChildKind, child: KubeObject | undefined): child is KubeObject =>
    child !== undefined && !isOwn(kind, child, workbench);
  const strangers = pods.filter((pod) => isForeign('Pod', pod));
  // A predecessor's Pods bear other names, so nobody has to wait for them.
  const found = (
    [
      ['Pod', strangers.find(({ metadata }) => metadata.name === podName(workbench))],
      ['Service', service],
      ['Ingress', ingress],
    ] as [ChildKind, KubeObject | undefined][]
  ).find(([kind, child]) => isForeign(kind, child));
  if (found) {
    const [kind, child] = found;
    const name = child!.metadata.name;
    if (isPredecessors(child!, workbench)) {
      const message = `${kind} "${name}" of an earlier workbench of this name is still being removed.`;
      return { phase: 'Pending', reason: 'PredecessorTerminating', message };
    }
    const message = `${kind} "${name}" exists and belongs to somebody else; it is left alone until it is renamed or removed.`;
    return { phase: 'Failed', reason: 'NameConflict', message };
  }
  const isServed = (pod: Pod) =>
    pod.metadata.labels?.[LABEL_UID] === uidOf(workbench) && !isLeaving(pod) && !isOver(pod);
  const impostor = strangers.find(isServed);
  if (!impostor) return undefined;
  const message = `Pod "${impostor.metadata.name}" bears this workbench's labels and does not belong to it; its Service would lead there.`;
  return { phase: 'Failed', reason: 'NameConflict', message };
}
