/** Literals to start a table from: one workbench, its settings and its children as the API server would show them. */
import { podName } from '../../src/workbench/identity.ts';
import { buildIngress } from '../../src/workbench/ingress.ts';
import type { ContainerStatus, Ingress, Pod, Service } from '../../src/workbench/objects.ts';
import { buildPod } from '../../src/workbench/pod.ts';
import type { Workbench, WorkbenchSpec, WorkbenchStatus } from '../../src/workbench/resource.ts';
import { buildService } from '../../src/workbench/service.ts';
import type { Settings } from '../../src/workbench/settings.ts';

export const NOW = Date.parse('2026-11-24T12:00:00Z');
export const secondsAgo = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
export const DIGEST = `sha256:${'a'.repeat(64)}`;

export const settings: Settings = {
  namespace: 'workbenches',
  image: 'registry.example/lab:latest',
  allowedImages: [],
  baseUrl: 'https://cloud.example',
  ingressClass: 'traefik',
  ingressAnnotations: {},
  routeKeep: false,
  port: 8888,
  runAsUser: 1000,
  fsGroup: 1000,
  defaultMemory: '2Gi',
  gpuResource: 'nvidia.com/gpu',
  homeLimit: '10Gi',
  unschedulableAfterMs: 60_000,
  resolvesImages: false,
  verify: 'public',
  verifyTimeoutMs: 60_000,
  headlessServices: true,
};

export function workbench(spec: Partial<WorkbenchSpec> = {}, status?: WorkbenchStatus): Workbench {
  return {
    metadata: { name: 'genome', namespace: 'workbenches', uid: 'uid-1', generation: 3, resourceVersion: '10' },
    spec: { owner: 'alice', state: 'Running', ...spec },
    ...(status ? { status } : {}),
  };
}

export const containerRunning: ContainerStatus = {
  name: 'workbench',
  ready: true,
  restartCount: 0,
  imageID: `registry.example/lab@${DIGEST}`,
  state: { running: { startedAt: secondsAgo(5) } },
};

const scheduled = { type: 'PodScheduled', status: 'True' } as const;

export function podOf(owner: Workbench, status: Pod['status'] = {}, age = 100): Pod {
  const { metadata, spec } = buildPod(owner, settings);
  return {
    metadata: { ...metadata, uid: `pod-of-${podName(owner)}`, creationTimestamp: secondsAgo(age) },
    spec: { ...spec!, ...(status.conditions?.length === 0 ? {} : { nodeName: 'node-1' }) },
    status: { phase: 'Pending', podIP: '10.244.0.7', startTime: secondsAgo(age), conditions: [scheduled], ...status },
  };
}

export function readyPod(owner: Workbench): Pod {
  const conditions = [
    scheduled,
    ...(['ContainersReady', 'Ready'] as const).map((type) => ({ type, status: 'True' as const })),
  ];
  return podOf(owner, { phase: 'Running', conditions, containerStatuses: [containerRunning] });
}

export function leaving<T extends Pod | Service | Ingress | Workbench>(object: T, seconds = 0): T {
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: secondsAgo(seconds) } };
}

export function serviceOf(owner: Workbench): Service {
  const { metadata, spec } = buildService(owner, settings);
  return { metadata: { ...metadata, uid: 'service-1' }, ...(spec ? { spec } : {}) };
}

export function ingressOf(owner: Workbench): Ingress {
  const { metadata, spec } = buildIngress(owner, settings);
  return { metadata: { ...metadata, uid: 'ingress-1' }, ...(spec ? { spec } : {}) };
}

/** The status of a workbench that runs on this Pod. */
export function runningOn(pod: Pod, run = ''): WorkbenchStatus {
  return {
    phase: 'Running',
    observedGeneration: 3,
    run,
    podUID: pod.metadata.uid!,
    publicEndpoint: 'https://cloud.example/project/genome',
    readyAt: secondsAgo(4),
    verifiedAt: secondsAgo(3),
    image: { requested: 'registry.example/lab:latest', digest: DIGEST },
  };
}
