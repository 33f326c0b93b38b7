import type { UserLimits } from './limits.ts';
import type { EnvVar } from './objects.ts';
import type { Resources } from './resource.ts';

export interface StorageSettings {
  /** Of a claim whose author names no size. A Kubernetes quantity, as the next. */
  size: string;
  /** The most that an author may ask for; undefined: as much as there is. */
  maxSize?: string;
  /** Undefined: the cluster's default. */
  storageClassName?: string;
  accessMode: string;
  /** Whether the claim goes with its workbench. */
  retention: 'Retain' | 'Delete';
}

/** The operator's choices, as the pure core needs them: src/config.ts reads them from the environment; a class changes some. */
export interface Settings {
  /** The one namespace of workbenches that this controller serves. */
  namespace: string;
  /** WORKBENCH_IMAGE */
  image: string;
  /** Patterns of images that an author may choose; empty: the repository of `image`. */
  allowedImages: readonly string[];
  /** Names of the Secrets that pull images. */
  pullSecrets?: readonly string[];
  /** Default Always. */
  pullPolicy?: string;
  /** Origin (and optional path) of public URLs, without a trailing slash; undefined: none is known. */
  baseUrl?: string;
  /** Whether browsers must log in to open a workbench. */
  isGuarded?: boolean;
  /** `<id>.<this>` is the host of a workbench, and an origin of its own; undefined: all are at the host of `baseUrl`. */
  workbenchDomain?: string;
  ingressClass?: string;
  ingressAnnotations: Readonly<Record<string, string>>;
  ingressTlsSecret?: string;
  /** Keep the Ingress as long as the Workbench lives, for Ingress controllers that reload on each change. */
  routeKeep: boolean;
  /** The port of every Service, and the one that the IDE listens on in its Pod if its class names no other. */
  port: number;
  containerPort?: number;
  runAsUser: number;
  fsGroup: number;
  bootCommand?: readonly string[];
  /** Behind the command, or the image's own entry point. Only a class has any. */
  bootArgs?: readonly string[];
  /** The path is taken off on the way to the Pod. Only a class says so. */
  stripsPath?: boolean;
  /** What of an Ingress makes it take off its path; undefined: nothing does, here. */
  stripAnnotations?: Readonly<Record<string, string>>;
  /** A start asks the registry which digest its tag stands for, and runs that. */
  resolvesImages: boolean;
  defaultCpu?: string;
  defaultMemory?: string;
  defaultGpu?: number;
  gpuResource: string;
  /** What an author may ask for. Only a class has any. */
  bounds?: { min?: Resources | undefined; max?: Resources | undefined };
  /** How much one owner may have at once; undefined: as much as there is. */
  userLimits?: UserLimits;
  /** Beside the author's own variables, which win. */
  env?: readonly EnvVar[];
  nodeSelector?: Readonly<Record<string, string>>;
  tolerations?: readonly object[];
  runtimeClass?: string;
  /** Behind the workbench's own path; undefined: ready is a port that is open. */
  readinessPath?: string;
  /** Where the files live; undefined: in the Pod, and no longer than it. Only a class has any. */
  storage?: StorageSettings;
  /** How much one owner may have of the storage of this class, a Kubernetes quantity; undefined: as much as there is. */
  classStorage?: string;
  /** Size limit of the emptyDir at /home/project, where there is no storage. */
  homeLimit: string;
  /** Pending becomes Failed after this long without a node. */
  unschedulableAfterMs: number;
  /** A Pod that outlives its own deletion by this long is removed by force; undefined: never. */
  forceDeleteAfterMs?: number;
  verify: 'public' | 'private' | 'off';
  verifyTimeoutMs: number;
  /** Headless Services cost no cluster IP; some Ingress controllers need one. */
  headlessServices: boolean;
}
