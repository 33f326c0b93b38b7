/** What the store keeps of an object: the fields that the plan reads. A whole Pod is 6 KB, these fields a quarter of one. */
import type { WorkbenchClass } from './class.ts';
import type { Claim, Ingress, KubeObject, ObjectMeta, Pod, Service } from './objects.ts';
import type { Workbench } from './resource.ts';

function trimMeta(metadata: ObjectMeta): ObjectMeta {
  const { managedFields: _, annotations, ...rest } = metadata;
  if (!annotations) return rest;
  const { 'kubectl.kubernetes.io/last-applied-configuration': __, ...kept } = annotations;
  return { ...rest, annotations: kept };
}

/** Who owns spec.state by a GitOps apply, worked out while managedFields are still there; see the contract, §1. */
export const STATE_MANAGER = 'workbench.h1st.ai/state-managed-by';

function stateManager(metadata: ObjectMeta): string | undefined {
  return metadata.managedFields?.find(({ manager, operation, subresource, fieldsV1 }) => {
    if (subresource || (operation !== 'Apply' && manager !== 'argocd-controller')) return false;
    const spec = fieldsV1?.['f:spec'] as Record<string, unknown> | undefined;
    return spec?.['f:state'] !== undefined;
  })?.manager;
}

export function trimWorkbench(workbench: Workbench): Workbench {
  const metadata = trimMeta(workbench.metadata);
  const { [STATE_MANAGER]: _, ...annotations } = metadata.annotations ?? {};
  const manager = stateManager(workbench.metadata);
  const kept = { ...annotations, ...(manager ? { [STATE_MANAGER]: manager } : {}) };
  // A hostile or half-written object may lack a spec altogether; the rest of the program need not know.
  return {
    metadata: { ...metadata, annotations: kept },
    spec: workbench.spec ?? { owner: '' },
    ...(workbench.status ? { status: workbench.status } : {}),
  };
}

export function trimClass({ metadata, spec }: WorkbenchClass): WorkbenchClass {
  return { metadata: trimMeta(metadata), spec: spec ?? {} };
}

export function trimPod({ metadata, spec, status }: Pod): Pod {
  const main = spec?.containers.find(({ name }) => name === 'workbench') ?? spec?.containers[0];
  return {
    metadata: trimMeta(metadata),
    spec: {
      ...(spec?.nodeName ? { nodeName: spec.nodeName } : {}),
      ...claims(spec),
      containers: main
        ? [{ name: main.name, image: main.image, ports: main.ports } as NonNullable<Pod['spec']>['containers'][number]]
        : [],
    },
    status: {
      ...pick(status, ['phase', 'reason', 'message', 'podIP', 'startTime', 'containerStatuses']),
      conditions: (status?.conditions ?? []).filter(({ type }) =>
        ['Ready', 'ContainersReady', 'PodScheduled'].includes(type),
      ),
    },
  };
}

function claims(spec: Pod['spec']): Pick<NonNullable<Pod['spec']>, 'volumes'> {
  const volumes = spec?.volumes?.filter(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined) ?? [];
  return volumes.length > 0 ? { volumes } : {};
}

export function trimClaim({ metadata, spec, status }: Claim): Claim {
  return {
    metadata: trimMeta(metadata),
    spec: pick(spec, ['accessModes', 'storageClassName', 'resources']),
    status: pick(status, ['phase', 'capacity']),
  };
}

/** That there is one is all that is asked of it. */
export function trimQuota({ metadata: { name, uid = '', resourceVersion = '' } }: KubeObject): KubeObject {
  return { metadata: { name, uid, resourceVersion } };
}

export function trimService({ metadata, spec }: Service): Service {
  const ports = spec?.ports?.map(({ name, port, targetPort, protocol }) => ({ name, port, targetPort, protocol }));
  return {
    metadata: trimMeta(metadata),
    spec: { ...pick(spec, ['clusterIP', 'selector']), ...(ports ? { ports } : {}) },
  };
}

export function trimIngress({ metadata, spec }: Ingress): Ingress {
  return { metadata: trimMeta(metadata), ...(spec ? { spec } : {}) };
}

function pick<T extends object, K extends keyof T>(object: T | undefined, keys: K[]): Pick<T, K> {
  return Object.fromEntries(
    keys.filter((key) => object?.[key] !== undefined).map((key) => [key, object![key]]),
  ) as Pick<T, K>;
}
