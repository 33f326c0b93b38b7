/** The operator's choices, as the pure core needs them. src/config.ts reads them from the environment. */
export interface Settings {
  /** The one namespace of workbenches that this controller serves. */
  namespace: string;
  /** WORKBENCH_IMAGE */
  image: string;
  /** Patterns of images that an author may choose; empty: the repository of `image`. */
  allowedImages: readonly string[];
  pullSecret?: string;
  /** Origin (and optional path) of public URLs, without a trailing slash; undefined: none is known. */
  baseUrl?: string;
  ingressClass?: string;
  ingressAnnotations: Readonly<Record<string, string>>;
  ingressTlsSecret?: string;
  /** Keep the Ingress as long as the Workbench lives, for Ingress controllers that reload on each change. */
  routeKeep: boolean;
  /** The port that the IDE listens on, in its Pod. */
  port: number;
  runAsUser: number;
  fsGroup: number;
  bootCommand?: readonly string[];
  defaultCpu?: string;
  defaultMemory?: string;
  gpuResource: string;
  /** Size limit of the emptyDir at /home/project. */
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
