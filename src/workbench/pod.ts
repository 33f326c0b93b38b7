/** The Pod of a workbench: restricted Pod Security profile, no token, requests = limits, nothing of the author's but values. */
import { classStamp } from './class.ts';
import type { WorkbenchClass } from './class.ts';
import { isReservedEnv, literal } from './env.ts';
import {
  ANNOTATION_CLASS,
  ANNOTATION_IMAGE,
  ANNOTATION_REQUESTED,
  ANNOTATION_RUN,
  ANNOTATION_STAMP,
  ANNOTATION_STRIPPED,
  basePath,
  labels,
  ownerReference,
  podName,
  publicEndpoint,
  runOf,
  stamp,
} from './identity.ts';
import { digestOf, repository } from './image.ts';
import type { EnvVar, Pod } from './objects.ts';
import { isReady } from './phase.ts';
import type { Workbench, WorkbenchStatus } from './resource.ts';
import type { Settings } from './settings.ts';

export const WORKSPACE_PATH = '/home/project';

/** The image that an author asked for, or that of the class or the installation. */
export function requestedImage(workbench: Workbench, settings: Settings): string {
  return workbench.spec.image ?? settings.image;
}

/** What a tag was found to stand for when a start asked. */
export interface Resolution {
  image: string;
  /** Undefined: the registry cannot be asked. */
  digest: string | undefined;
}

/**
 * The image to put into the Pod. A replacement within one run keeps the digest that this run had, so that a Pod which dies
 * by night does not come back as another version; a new run, and one that nobody could work in yet, takes what the tag says
 * now.
 */
export function imageToRun(workbench: Workbench, settings: Settings, resolution?: Resolution): string {
  const requested = requestedImage(workbench, settings);
  if (digestOf(requested)) return requested;
  const { run, image } = workbench.status ?? {};
  const recorded =
    run === runOf(workbench) &&
    image?.requested === requested &&
    !image.unproven &&
    /^sha256:[a-f0-9]{64}$/.test(image.digest ?? '');
  const digest = recorded ? image.digest : resolution?.image === requested ? resolution.digest : undefined;
  return digest === undefined ? requested : `${repository(requested)}@${digest}`;
}

/** The image that the Pod was made with. */
export function askedImage(pod: Pod): string | undefined {
  return pod.metadata.annotations?.[ANNOTATION_IMAGE] ?? pod.spec?.containers[0]?.image;
}

/** The image that the Pod stands for: whoever asked for a tag runs the digest that it was found to be. */
export function requestedBy(pod: Pod, before: WorkbenchStatus['image']): string | undefined {
  const noted = pod.metadata.annotations?.[ANNOTATION_REQUESTED];
  if (noted !== undefined) return noted;
  const asked = askedImage(pod);
  // A replacement that was made before it was noted.
  const isReplacement = digestOf(asked) !== undefined && digestOf(asked) === before?.digest;
  return (isReplacement ? before?.requested : undefined) ?? asked;
}

/** Whether the author's own fields have changed since this Pod was made. */
export function isEdited(pod: Pod, workbench: Workbench): boolean {
  return pod.metadata.annotations?.[ANNOTATION_STAMP] !== stamp(workbench);
}

/** Edited, or made for another image or class than there is by now: the next start will be different. */
export function isOutdated(
  pod: Pod,
  workbench: Workbench,
  found: WorkbenchClass | undefined,
  settings: Settings,
): boolean {
  if (isEdited(pod, workbench) || pod.metadata.annotations?.[ANNOTATION_CLASS] !== classStamp(found)) return true;
  const { run, image } = workbench.status ?? {};
  return requestedBy(pod, run === runOf(workbench) ? image : undefined) !== requestedImage(workbench, settings);
}

/** A Pod that somebody has worked in is not taken away by an edit. */
export function wasReady(workbench: Workbench, pod: Pod): boolean {
  const { status } = workbench;
  return isReady(pod) || (status?.podUID === pod.metadata.uid && status?.readyAt !== undefined);
}

export function sizes(workbench: Workbench, settings: Settings): Record<string, string> {
  const { cpu, memory, gpu } = workbench.spec.resources ?? {};
  const list: Record<string, string> = {};
  const wantedCpu = cpu ?? settings.defaultCpu;
  const wantedMemory = memory ?? settings.defaultMemory;
  const wantedGpu = gpu ?? settings.defaultGpu;
  if (wantedCpu !== undefined) list.cpu = String(wantedCpu);
  if (wantedMemory !== undefined) list.memory = String(wantedMemory);
  if (wantedGpu) list[settings.gpuResource] = String(wantedGpu);
  return list;
}

function containerPort({ containerPort: own, port }: Settings): number {
  return own ?? port;
}

/** Where the IDE serves its pages, inside its Pod. */
function pathInside(id: string, settings: Settings): string {
  return settings.stripsPath ? '/' : basePath(id, settings);
}

/** Whether this Pod was made to have its path taken off on the way. */
export function isStripped(pod: Pod): boolean {
  return pod.metadata.annotations?.[ANNOTATION_STRIPPED] === 'true';
}

function environment(workbench: Workbench, settings: Settings): EnvVar[] {
  const id = workbench.metadata.name;
  const path = pathInside(id, settings);
  const ours: Record<string, string> = {
    WORKBENCH_ID: id,
    WORKBENCH_OWNER: literal(workbench.spec.owner),
    WORKBENCH_URL: publicEndpoint(id, settings),
    WORKBENCH_BASE_PATH: path,
    WORKBENCH_PORT: String(containerPort(settings)),
    WORKSPACE_PATH,
    JUPYTER_BASE_URL: path,
  };
  const authors = (workbench.spec.env ?? []).filter(({ name }) => !isReservedEnv(name));
  const isAuthors = (name: string) => authors.some((variable) => variable.name === name);
  const admins = (settings.env ?? []).filter(({ name }) => !isReservedEnv(name) && !isAuthors(name));
  return [
    ...[...admins, ...authors].map(({ name, value }) => ({ name, value: literal(value) })),
    ...Object.entries(ours).map(([name, value]) => ({ name, value })),
  ];
}

export interface PodParts {
  class?: WorkbenchClass | undefined;
  /** The claim that holds the files; undefined: they live in the Pod. */
  claim?: string | undefined;
  /** Of its image, if the registry was asked. */
  resolution?: Resolution | undefined;
}

/** @param settings those of its class, if there is one */
export function buildPod(
  workbench: Workbench,
  settings: Settings,
  { class: found, claim, resolution }: PodParts = {},
): Pod {
  const resources = sizes(workbench, settings);
  const stampOfClass = classStamp(found);
  const image = imageToRun(workbench, settings, resolution);
  const requested = requestedImage(workbench, settings);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(workbench),
      namespace: settings.namespace,
      labels: labels(workbench),
      annotations: {
        [ANNOTATION_STAMP]: stamp(workbench),
        [ANNOTATION_RUN]: runOf(workbench),
        [ANNOTATION_IMAGE]: image,
        ...(image === requested ? {} : { [ANNOTATION_REQUESTED]: requested }),
        ...(settings.stripsPath ? { [ANNOTATION_STRIPPED]: 'true' } : {}),
        ...(stampOfClass === undefined ? {} : { [ANNOTATION_CLASS]: stampOfClass }),
      },
      ownerReferences: [ownerReference(workbench)],
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Always',
      securityContext: {
        runAsNonRoot: true,
        runAsUser: settings.runAsUser,
        fsGroup: settings.fsGroup,
        // A large volume is not gone through at each start.
        ...(claim === undefined ? {} : { fsGroupChangePolicy: 'OnRootMismatch' }),
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...placement(settings),
      ...(settings.pullSecrets?.length ? { imagePullSecrets: settings.pullSecrets.map((name) => ({ name })) } : {}),
      containers: [
        {
          name: 'workbench',
          image,
          imagePullPolicy: settings.pullPolicy ?? 'Always',
          ...(settings.bootCommand ? { command: [...settings.bootCommand] } : {}),
          ...(settings.bootArgs ? { args: [...settings.bootArgs] } : {}),
          ports: [{ name: 'http', containerPort: containerPort(settings), protocol: 'TCP' }],
          env: environment(workbench, settings),
          resources: { requests: resources, limits: resources },
          // Every second, since a person waits for it; three misses, so that a busy IDE is not taken off its URL.
          readinessProbe: { ...readiness(workbench, settings), periodSeconds: 1, failureThreshold: 3 },
          terminationMessagePolicy: 'FallbackToLogsOnError',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [{ name: 'home', mountPath: WORKSPACE_PATH }],
        },
      ],
      volumes: [
        claim === undefined
          ? { name: 'home', emptyDir: { sizeLimit: settings.homeLimit } }
          : { name: 'home', persistentVolumeClaim: { claimName: claim } },
      ],
    },
  };
}

function placement({ nodeSelector, tolerations, runtimeClass }: Settings): Partial<NonNullable<Pod['spec']>> {
  return {
    ...(nodeSelector ? { nodeSelector: { ...nodeSelector } } : {}),
    ...(tolerations?.length ? { tolerations: [...tolerations] } : {}),
    ...(runtimeClass === undefined ? {} : { runtimeClassName: runtimeClass }),
  };
}

function readiness(workbench: Workbench, settings: Settings): object {
  const { readinessPath } = settings;
  const port = containerPort(settings);
  if (readinessPath === undefined) return { tcpSocket: { port } };
  const base = pathInside(workbench.metadata.name, settings).replace(/\/$/, '');
  return { httpGet: { path: base + readinessPath, port } };
}
