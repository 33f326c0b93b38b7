/** What a controller may find when it comes up: every child in every condition, under every wish. Data, for the pure core and for a real API server. */
import { buildIngress } from '../../src/workbench/ingress.ts';
import type { Ingress, KubeObject, OwnerReference, Service } from '../../src/workbench/objects.ts';
import { buildPod } from '../../src/workbench/pod.ts';
import type { Workbench, WorkbenchSpec, WorkbenchStatus } from '../../src/workbench/resource.ts';
import { homeOf } from '../../src/workbench/home.ts';
import { LABEL_UID, claimName } from '../../src/workbench/identity.ts';
import { buildService } from '../../src/workbench/service.ts';
import type { Settings, StorageSettings } from '../../src/workbench/settings.ts';
import type { ChildKind, Step } from '../../src/workbench/steps.ts';

export interface Child {
  kind: ChildKind;
  object: KubeObject;
  /** Deleted already, and held by a finalizer. */
  isLeaving?: true;
  /** Of the Pod: deleted already, on a node that says nothing any more. */
  isSilent?: true;
  /** Not ours: whatever becomes of the workbench, nobody may touch it. */
  isForeign?: true;
  /** Of the Pod: what its kubelet says. Default "ready". */
  says?: PodWord;
  /** Of the Pod: seconds since it was made. Default 100. */
  age?: number;
}

export type PodWord = 'pending' | 'ready' | 'failed' | 'succeeded' | 'unknown';

type Condition = (owner: Workbench, settings: Settings) => Child | undefined;

const byNobody: OwnerReference[] = [];
/** A stranger that is there: of what belongs to nobody that is, the garbage collector would be quick. */
export const SOMEBODY: OwnerReference = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'somebody',
  uid: '00000000-0000-4000-8000-000000000001',
  controller: true,
};

function with_(object: KubeObject, metadata: Partial<KubeObject['metadata']>): KubeObject {
  return { ...object, metadata: { ...object.metadata, ...metadata } };
}

/** The owner as it was when its Pod was made. */
function before(owner: Workbench, spec: Partial<WorkbenchSpec>): Workbench {
  return { ...owner, spec: { ...owner.spec, ...spec } };
}

/** The owner's namesake that was deleted before it was made. */
function predecessor(owner: Workbench): Workbench {
  return { ...owner, metadata: { ...owner.metadata, uid: '00000000-0000-4000-8000-000000000002' } };
}

function pod(owner: Workbench, settings: Settings, more: Partial<Child> = {}, metadata = {}): Child {
  const claim = settings.storage ? claimName(owner) : undefined;
  return { kind: 'Pod', object: with_(buildPod(owner, settings, { claim }), metadata), ...more };
}

const MANAGED = { 'app.kubernetes.io/managed-by': 'workbench-controller' };

const earlier = (owner: Workbench) => before(owner, { run: 'earlier' });
/** Made when the author still asked for another size. */
const unedited = (owner: Workbench) => before(owner, { resources: { memory: '1Gi' } });

export const PODS: Record<string, Condition> = {
  absent: () => undefined,
  pending: (owner, settings) => pod(owner, settings, { says: 'pending' }),
  ready: (owner, settings) => pod(owner, settings),
  failed: (owner, settings) => pod(owner, settings, { says: 'failed' }),
  'failed at once': (owner, settings) => pod(owner, settings, { says: 'failed', age: 1 }),
  succeeded: (owner, settings) => pod(owner, settings, { says: 'succeeded' }),
  unknown: (owner, settings) => pod(owner, settings, { says: 'unknown' }),
  leaving: (owner, settings) => pod(owner, settings, { isLeaving: true }),
  'failed and leaving': (owner, settings) => pod(owner, settings, { says: 'failed', isLeaving: true }),
  'edited, pending': (owner, settings) => pod(unedited(owner), settings, { says: 'pending' }),
  'edited, ready': (owner, settings) => pod(unedited(owner), settings),
  'edited, failed': (owner, settings) => pod(unedited(owner), settings, { says: 'failed' }),
  'edited, leaving': (owner, settings) => pod(unedited(owner), settings, { isLeaving: true }),
  unlabelled: (owner, settings) => pod(owner, settings, {}, { labels: {} }),
  ownerless: (owner, settings) => pod(owner, settings, {}, { ownerReferences: byNobody }),
  'of an earlier run, pending': (owner, settings) => pod(earlier(owner), settings, { says: 'pending' }),
  'of an earlier run, ready': (owner, settings) => pod(earlier(owner), settings),
  'of an earlier run, failed': (owner, settings) => pod(earlier(owner), settings, { says: 'failed' }),
  'of an earlier run, leaving': (owner, settings) => pod(earlier(owner), settings, { isLeaving: true }),
  'of an earlier run, ownerless': (owner, settings) => pod(earlier(owner), settings, {}, { ownerReferences: byNobody }),
  'of a predecessor': (owner, settings) => pod(predecessor(owner), settings),
  "nobody's": (owner, settings) =>
    pod(owner, settings, { isForeign: true }, { ownerReferences: byNobody, labels: { app: 'x' } }),
  "somebody's": (owner, settings) => pod(owner, settings, { isForeign: true }, { ownerReferences: [SOMEBODY] }),
  'with copied labels': (owner, settings) =>
    pod(owner, settings, { isForeign: true }, { name: `${owner.metadata.name}-stranger`, ownerReferences: byNobody }),
};

/** A Service or an Ingress, which differ in nothing here but what drifts. */
function conditions<T extends Service | Ingress>(
  kind: ChildKind,
  build: (owner: Workbench, settings: Settings) => T,
  drift: (object: T) => T,
): Record<string, Condition> {
  const child = (object: KubeObject, more: Partial<Child> = {}): Child => ({ kind, object, ...more });
  const ours =
    (metadata: Partial<KubeObject['metadata']>, more: Partial<Child> = {}): Condition =>
    (owner, settings) =>
      child(with_(build(owner, settings), metadata), more);
  return {
    absent: () => undefined,
    ok: ours({}),
    drifted: (owner, settings) => child(drift(build(owner, settings))),
    leaving: ours({}, { isLeaving: true }),
    'drifted, leaving': (owner, settings) => child(drift(build(owner, settings)), { isLeaving: true }),
    ownerless: ours({ ownerReferences: byNobody }),
    "nobody's": ours({ ownerReferences: byNobody, labels: { app: 'x' } }, { isForeign: true }),
    "somebody's": ours({ ownerReferences: [SOMEBODY] }, { isForeign: true }),
    'of a predecessor': (owner, settings) => {
      const { ownerReferences, labels } = build(predecessor(owner), settings).metadata;
      return child(with_(build(owner, settings), { ownerReferences: ownerReferences!, labels: labels! }));
    },
  };
}

export const SERVICES = conditions('Service', buildService, (service) => ({
  ...service,
  spec: { ...service.spec, selector: { app: 'x' } },
}));

export const INGRESSES = conditions('Ingress', buildIngress, (ingress) => {
  const [rule] = ingress.spec!.rules!;
  const [path] = rule!.http.paths;
  return {
    ...ingress,
    spec: { ...ingress.spec, rules: [{ ...rule, http: { paths: [{ ...path!, path: '/elsewhere' }] } }] },
  };
});

function claim(owner: Workbench, settings: Settings, more: Partial<Child> = {}, metadata = {}): Child {
  const [step] = homeOf(owner, {}, settings)!.steps;
  const { object } = step as Step & { do: 'create' };
  return { kind: 'PersistentVolumeClaim', object: with_(object, metadata), ...more };
}

/** Where the files are: it is named after the UID, so a predecessor's bears another name. */
export const CLAIMS: Record<string, Condition> = {
  absent: () => undefined,
  ok: (owner, settings) => claim(owner, settings),
  'used by another since': (owner, settings) =>
    claim(owner, settings, {}, { labels: { ...claim(owner, settings).object.metadata.labels, [LABEL_UID]: 'uid-9' } }),
  'to go with its workbench': (owner, settings) =>
    claim(owner, { ...settings, storage: { ...settings.storage!, retention: 'Delete' } }),
  leaving: (owner, settings) => claim(owner, settings, { isLeaving: true }),
  "nobody's": (owner, settings) => claim(owner, settings, { isForeign: true }, { labels: { app: 'x' } }),
  "another owner's": (owner, settings) =>
    claim(before(owner, { owner: 'mallory' }), settings, { isForeign: true }, { labels: { ...MANAGED } }),
};

export interface Wish {
  spec: Partial<WorkbenchSpec>;
  /** How it was deleted before the controller came; "held" is under somebody else's finalizer. */
  deletion?: 'foreground' | 'orphan' | 'held' | 'over';
}

export const WISHES: Record<string, Wish> = {
  running: { spec: {} },
  stopped: { spec: { state: 'Stopped' } },
  refused: { spec: { image: 'elsewhere.example/miner:latest' } },
  deleted: { spec: {}, deletion: 'foreground' },
  'deleted when stopped': { spec: { state: 'Stopped' }, deletion: 'foreground' },
  'deleted, held': { spec: {}, deletion: 'held' },
  orphaned: { spec: {}, deletion: 'orphan' },
  gone: { spec: {}, deletion: 'over' },
};

/** What an earlier controller has said; `podUID` is that of the Pod which is there. */
export const STATUSES: Record<string, (podUID: string, endpoint: string) => WorkbenchStatus | undefined> = {
  none: () => undefined,
  unseen: () => ({ phase: 'Starting', observedGeneration: -1, reason: 'NotSeenYet' }),
  running: (podUID, publicEndpoint) => ({
    phase: 'Running',
    observedGeneration: 1,
    run: '',
    podUID,
    publicEndpoint,
    readyAt: '2026-11-24T11:59:00Z',
    verifiedAt: '2026-11-24T11:59:01Z',
  }),
  'running on another Pod, older': (_, publicEndpoint) => ({
    phase: 'Running',
    observedGeneration: 0,
    run: 'earlier',
    podUID: '00000000-0000-4000-8000-000000000003',
    publicEndpoint,
    readyAt: '2026-11-24T11:59:00Z',
    verifiedAt: '2026-11-24T11:59:01Z',
  }),
  failed: (podUID) => ({ phase: 'Failed', observedGeneration: 1, reason: 'OOMKilled', run: '', podUID }),
  stopped: () => ({ phase: 'Stopped', observedGeneration: 1 }),
};

export interface StartState {
  /** Where the workbenches of the installation keep their files; absent: in the Pod. */
  storage?: StorageSettings;
  /** "running | Pod ready | Service ok | Ingress drifted | status none" */
  id: string;
  wish: Wish;
  children: (owner: Workbench, settings: Settings) => Child[];
  status: (typeof STATUSES)[string];
}

/** Met together with each other; the rarer ones are met one at a time. */
const USUAL = ['absent', 'ok', 'drifted', 'leaving', "nobody's"];

/** Each Pod with each Service and Ingress under each wish; each of these three together meets each status under some wish. */
export function startStates(): StartState[] {
  const statuses = Object.entries(STATUSES);
  const pairs = Object.keys(SERVICES).flatMap((s) => Object.keys(INGRESSES).map((i) => [s, i] as const));
  const chosen = pairs.filter(([s, i]) => (USUAL.includes(s) ? USUAL.includes(i) || s === 'ok' : i === 'ok'));
  return Object.entries(WISHES).flatMap(([wish, wanted], wishAt) =>
    Object.entries(PODS).flatMap(([p, pod], podAt) =>
      chosen.map(([s, i], pairAt) => {
        const [said, status] = statuses[(wishAt + podAt + pairAt) % statuses.length]!;
        return {
          id: `${wish} | Pod ${p} | Service ${s} | Ingress ${i} | status ${said}`,
          wish: wanted,
          children: (owner, settings) =>
            [pod, SERVICES[s]!, INGRESSES[i]!].flatMap((condition) => condition(owner, settings) ?? []),
          status,
        } satisfies StartState;
      }),
    ),
  );
}

/** Each Pod that mounts a claim with each claim under each wish. */
export function claimStates(): StartState[] {
  const statuses = Object.entries(STATUSES);
  return Object.entries(WISHES).flatMap(([wish, wanted], wishAt) =>
    Object.entries(PODS).flatMap(([p, pod], podAt) =>
      Object.entries(CLAIMS).map(([c, claim], claimAt) => {
        const [said, status] = statuses[(wishAt + podAt + claimAt) % statuses.length]!;
        return {
          id: `${wish} | Pod ${p} | claim ${c} | status ${said}`,
          storage: { size: '10Gi', accessMode: 'ReadWriteOnce', retention: 'Retain' },
          wish: wanted,
          children: (owner, settings) =>
            [pod, claim, SERVICES.ok!, INGRESSES.ok!].flatMap((condition) => condition(owner, settings) ?? []),
          status,
        } satisfies StartState;
      }),
    ),
  );
}
