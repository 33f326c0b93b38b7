/** The writes that a plan may ask for: one function per thing that must be so, each empty when it is so already. */
import { isOurs, labels, ownerReference, selectorLabels } from './identity.ts';
import { buildIngress, mendIngress } from './ingress.ts';
import type { Ingress, KubeObject, PatchOperation, Pod, Service } from './objects.ts';
import type { Workbench } from './resource.ts';
import { isStripped } from './pod.ts';
import { buildService, mendService } from './service.ts';
import type { Settings } from './settings.ts';

export type ChildKind = 'Pod' | 'Service' | 'Ingress' | 'PersistentVolumeClaim';

export type Step =
  | { do: 'create'; kind: ChildKind; object: KubeObject; ifAlive?: Workbench }
  | {
      do: 'patch';
      kind: ChildKind;
      name: string;
      uid: string;
      patch: PatchOperation[];
      /** Look live first: the watches of two kinds are not in step. */
      ifAlive?: Workbench;
      /** A refusal is told and stands in the way of nothing. */
      isOptional?: boolean;
    }
  | { do: 'delete'; kind: ChildKind; name: string; uid: string; force?: boolean };

/**
 * What is missing of a workbench that runs was taken away, perhaps by the garbage collector on behalf of a deletion that is
 * not seen here yet.
 */
export function withCare(workbench: Workbench, steps: Step[]): Step[] {
  if (workbench.status?.phase !== 'Running') return steps;
  return steps.map((step) => (step.do === 'create' ? { ...step, ifAlive: workbench } : step));
}

export function isLeaving(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

export function deletions(pods: Pod[]): Step[] {
  return pods.filter((pod) => !isLeaving(pod)).map((pod) => removal('Pod', pod));
}

function removal(kind: ChildKind, object: KubeObject): Step {
  return { do: 'delete', kind, name: object.metadata.name, uid: object.metadata.uid ?? '' };
}

/** Only where the admin asked for it: a Pod that a silent node may still run could be writing files. */
export function forcedDeletions(pods: Pod[], { forceDeleteAfterMs }: Settings, now: number): Step[] {
  if (forceDeleteAfterMs === undefined) return [];
  const overdue = (pod: Pod) => now - Date.parse(pod.metadata.deletionTimestamp ?? '') >= forceDeleteAfterMs;
  return pods.filter(overdue).map((pod) => ({ ...removal('Pod', pod), force: true }) as Step);
}

/** A label of ours that was edited away would cut the Pod off from its Service. */
export function relabel(workbench: Workbench, pod: Pod): Step[] {
  const wanted = Object.entries(selectorLabels(workbench));
  if (isLeaving(pod) || wanted.every(([name, value]) => pod.metadata.labels?.[name] === value)) return [];
  const value = { ...pod.metadata.labels, ...labels(workbench) };
  return [mending('Pod', pod, [{ op: 'add', path: '/metadata/labels', value }])];
}

function mending(kind: ChildKind, object: KubeObject, patch: PatchOperation[]): Step {
  return { do: 'patch', kind, name: object.metadata.name, uid: object.metadata.uid ?? '', patch };
}

export function serviceSteps(workbench: Workbench, service: Service | undefined, settings: Settings): Step[] {
  const wanted = buildService(workbench, settings);
  if (!service) return [{ do: 'create', kind: 'Service', object: wanted }];
  const patch = mendService(service, wanted);
  return patch.length > 0 && !isLeaving(service) ? [mending('Service', service, patch)] : [];
}

/** @param pod that it is to lead to */
export function routeSteps(workbench: Workbench, pod: Pod, ingress: Ingress | undefined, settings: Settings): Step[] {
  const wanted = buildIngress(workbench, settings, isStripped(pod));
  if (!ingress) return [{ do: 'create', kind: 'Ingress', object: wanted }];
  const patch = mendIngress(ingress, wanted, settings);
  return patch.length > 0 && !isLeaving(ingress) ? [mending('Ingress', ingress, patch)] : [];
}

/** Without a Pod behind it, the path falls to the controller's own page, which says what is going on. */
export function routeRemoval(workbench: Workbench, ingress: Ingress | undefined, settings: Settings): Step[] {
  if (!ingress || settings.routeKeep || isLeaving(ingress) || !isOurs(ingress, workbench)) return [];
  return [removal('Ingress', ingress)];
}

/** For an object of ours that lost its owner reference; never against somebody who takes it at the same moment. */
export function adoption(workbench: Workbench, kind: ChildKind, child: KubeObject): Step {
  const { resourceVersion, ownerReferences = [] } = child.metadata;
  const patch: PatchOperation[] = [
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'add', path: '/metadata/ownerReferences', value: [...ownerReferences, ownerReference(workbench)] },
  ];
  return { ...mending(kind, child, patch), ifAlive: workbench } as Step;
}
