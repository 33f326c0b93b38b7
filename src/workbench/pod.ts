/** The Pod of a workbench: restricted Pod Security profile, no token, requests = limits, nothing of the author's but values. */
import { classStamp } from './class.ts';
import type { WorkbenchClass } from './class.ts';
import { isReservedEnv, literal } from './env.ts';
import {
  ANNOTATION_CLASS,
  ANNOTATION_IMAGE,
  ANNOTATION_RUN,
  ANNOTATION_STAMP,
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
import type { Workbench } from './resource.ts';
import type { Settings } from './settings.ts';

export const WORKSPACE_PATH = '/home/project';

/** The image that an author asked for, or that of the class or the installation. */
export function requestedImage(workbench: Workbench, settings: Settings): string {
  return workbench.spec.image ?? settings.image;
}

/**
 * The image to put into the Pod. A replacement within one run keeps the digest that this run had, so that a Pod which dies
 * by night does not come back as another version; a new run pulls what the tag says now.
 */
export function imageToRun(workbench: Workbench, settings: Settings): string {
  const requested = requestedImage(workbench, settings);
  if (digestOf(requested)) return requested;
  const { run, image } = workbench.status ?? {};
  const recorded =
    run === runOf(workbench) && image?.requested === requested && /^sha256:[a-f0-9]{64}$/.test(image.digest ?? '');
  return recorded ? `${repository(requested)}@${image.digest}` : requested;
}

/** The image that the Pod was made with. */
export function askedImage(pod: Pod): string | undefined {
  return pod.metadata.annotations?.[ANNOTATION_IMAGE] ?? pod.spec?.containers[0]?.image;
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
  const asked = askedImage(pod);
  const wanted = requestedImage(workbench, settings);
  const { run, image } = workbench.status ?? {};
  // A replacement runs the digest that its run had of the same image.
  const isPinned = run === runOf(workbench) && image?.requested === wanted && image.digest !== undefined;
  return asked !== wanted && !(isPinned && digestOf(asked) === image.digest);
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

function environment(workbench: Workbench, settings: Settings): EnvVar[] {
  const id = workbench.metadata.name;
  const path = basePath(id, settings);
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

/**
 * @param settings those of its class, if there is one
 * @param claim that holds the files; undefined: they live in the Pod
 */
export function buildPod(workbench: Workbench, settings: Settings, found?: WorkbenchClass, claim?: string): Pod {
  const resources = sizes(workbench, settings);
  const stampOfClass = classStamp(found);
  const image = imageToRun(workbench, settings);
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
  return { httpGet: { path: basePath(workbench.metadata.name, settings) + readinessPath, port } };
}
