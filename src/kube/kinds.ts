/** The kinds of object that this program watches; all but classes and quotas are written too. Where they live and what is kept. */
import { CLASS_KIND, CLASS_PLURAL } from '../workbench/class.ts';
import type { WorkbenchClass } from '../workbench/class.ts';
import type { Claim, Ingress, KubeObject, Pod, Service } from '../workbench/objects.ts';
import { GROUP, PLURAL } from '../workbench/resource.ts';
import type { Workbench } from '../workbench/resource.ts';
import {
  trimClaim,
  trimClass,
  trimIngress,
  trimPod,
  trimQuota,
  trimService,
  trimWorkbench,
} from '../workbench/trim.ts';

export interface KindTypes {
  Workbench: Workbench;
  WorkbenchClass: WorkbenchClass;
  Pod: Pod;
  Service: Service;
  Ingress: Ingress;
  PersistentVolumeClaim: Claim;
  ResourceQuota: KubeObject;
}

export type Kind = keyof KindTypes;

export interface KindInfo<T extends KubeObject> {
  kind: string;
  /** "/api/v1" or "/apis/GROUP/VERSION" */
  root: string;
  plural: string;
  trim(object: T): T;
}

export const KINDS: { [K in Kind]: KindInfo<KindTypes[K]> } = {
  Workbench: { kind: 'Workbench', root: `/apis/${GROUP}/v1`, plural: PLURAL, trim: trimWorkbench },
  WorkbenchClass: { kind: CLASS_KIND, root: `/apis/${GROUP}/v1`, plural: CLASS_PLURAL, trim: trimClass },
  Pod: { kind: 'Pod', root: '/api/v1', plural: 'pods', trim: trimPod },
  Service: { kind: 'Service', root: '/api/v1', plural: 'services', trim: trimService },
  PersistentVolumeClaim: {
    kind: 'PersistentVolumeClaim',
    root: '/api/v1',
    plural: 'persistentvolumeclaims',
    trim: trimClaim,
  },
  ResourceQuota: { kind: 'ResourceQuota', root: '/api/v1', plural: 'resourcequotas', trim: trimQuota },
  Ingress: { kind: 'Ingress', root: '/apis/networking.k8s.io/v1', plural: 'ingresses', trim: trimIngress },
};

export function collectionPath(kind: Kind, namespace: string): string {
  return `${KINDS[kind].root}/namespaces/${encodeURIComponent(namespace)}/${KINDS[kind].plural}`;
}

export function objectPath(kind: Kind, namespace: string, name: string): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}
