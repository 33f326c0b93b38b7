/**
 * The Kubernetes objects as they travel: plain JSON, and only the fields that this program reads or writes.
 * (client-node's V1Pod says `Date` where the wire says string, and names hundreds of fields that we never look at.)
 */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFields[];
}

export interface ManagedFields {
  manager?: string;
  operation?: string;
  subresource?: string;
  fieldsV1?: Record<string, unknown>;
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** A condition as apimachinery defines it; on a Workbench it also carries `observedGeneration`. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  observedGeneration?: number;
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { exitCode: number; reason?: string; message?: string; signal?: number };
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  imageID?: string;
  state?: ContainerState;
  lastState?: ContainerState;
}

export interface PodStatus {
  phase?: string;
  reason?: string;
  message?: string;
  podIP?: string;
  startTime?: string;
  conditions?: Condition[];
  containerStatuses?: ContainerStatus[];
}

export interface EnvVar {
  name: string;
  value: string;
}

export interface Container {
  name: string;
  image: string;
  imagePullPolicy: string;
  command?: string[];
  args?: string[];
  ports: { name: string; containerPort: number; protocol: string }[];
  env: EnvVar[];
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  readinessProbe: object;
  terminationMessagePolicy: string;
  securityContext: object;
  volumeMounts: { name: string; mountPath: string }[];
}

export interface PodSpec {
  nodeName?: string;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  restartPolicy?: string;
  securityContext?: object;
  imagePullSecrets?: { name: string }[];
  containers: Container[];
  nodeSelector?: Record<string, string>;
  tolerations?: object[];
  runtimeClassName?: string;
  volumes?: Volume[];
}

export interface Volume {
  name: string;
  emptyDir?: { sizeLimit?: string };
  persistentVolumeClaim?: { claimName: string };
}

export interface Pod extends KubeObject {
  spec?: PodSpec;
  status?: PodStatus;
}

export interface ServicePort {
  name: string;
  port: number;
  /** The name of a container's port, so that each Pod answers on its own. */
  targetPort: string | number;
  protocol: string;
}

export interface Service extends KubeObject {
  spec?: { clusterIP?: string; selector?: Record<string, string>; ports?: ServicePort[] };
}

export interface IngressPath {
  path: string;
  pathType: 'Exact' | 'Prefix';
  backend: { service: { name: string; port: { number: number } } };
}

export interface Ingress extends KubeObject {
  spec?: {
    ingressClassName?: string;
    tls?: { hosts?: string[]; secretName?: string }[];
    rules?: { host?: string; http: { paths: IngressPath[] } }[];
  };
}

/** A PersistentVolumeClaim. */
export interface Claim extends KubeObject {
  spec?: {
    accessModes?: string[];
    storageClassName?: string;
    resources?: { requests?: { storage?: string } };
  };
  status?: { phase?: string; capacity?: { storage?: string } };
}

/** One operation of a JSON Patch (RFC 6902). */
export type PatchOperation =
  | { op: 'test' | 'add' | 'replace'; path: string; value: unknown }
  | { op: 'remove'; path: string };
