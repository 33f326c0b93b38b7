/** What happens to a workbench, from which state to which; and the writes that this takes when nothing goes wrong. */
import type { Kind } from '../../src/kube/kinds.ts';
import { controllerOf } from '../../src/workbench/identity.ts';
import { DISKS } from './disk.ts';
import type { Hands } from './hands.ts';
import type { Portal } from './portal.ts';

/** The classes that there are on each stage, both with a volume. */
export const CLASSES = {
  kept: { storage: { size: '1Gi', storageClassName: DISKS, retention: 'Retain' } },
  thrown: { storage: { size: '1Gi', storageClassName: DISKS, retention: 'Delete' } },
} as const;

export type ClassName = keyof typeof CLASSES;

export interface Actors {
  portal: Portal;
  hands: Hands;
}

export interface Scenario {
  /** For people: "a person creates a workbench". */
  title: string;
  before: 'nothing' | 'running' | 'stopped';
  /** The workbench's, which then has a volume. Default: none. */
  class?: ClassName;
  /** @returns the id of the workbench */
  act: (actors: Actors, id: string) => Promise<string>;
  after: 'running' | 'stopped' | 'gone';
  /** Before or after its Pod is made anew: that depends on which watch is quicker. Default: in the order of the writes. */
  routeGoes?: 'anytime';
  /** The trace of the reference run, which a test compares: plans are made from it, without a cluster. */
  writes: readonly string[];
  /** Of the reference run, what the watches tell for certain: "ADDED pods". */
  events: readonly string[];
}

export const SCENARIOS = {
  create: {
    title: 'a person creates a workbench',
    before: 'nothing',
    act: ({ portal }) => portal.create(),
    after: 'running',
    writes: ['create workbenches', 'create pods', 'create services', 'create ingresses', 'patch workbenches/status'],
    events: [
      'ADDED workbenches',
      'ADDED pods',
      'ADDED services',
      'MODIFIED pods',
      'MODIFIED pods',
      'ADDED ingresses',
      'MODIFIED workbenches',
    ],
  },
  stop: {
    title: 'a person stops it',
    before: 'running',
    act: ({ portal }, id) => portal.stop(id),
    after: 'stopped',
    writes: ['patch workbenches', 'delete ingresses', 'delete pods', 'patch workbenches/status'],
    events: ['MODIFIED workbenches', 'DELETED ingresses', 'MODIFIED pods', 'DELETED pods', 'MODIFIED workbenches'],
  },
  start: {
    title: 'a person starts it again',
    before: 'stopped',
    act: ({ portal }, id) => portal.start(id),
    after: 'running',
    writes: ['patch workbenches', 'create pods', 'create ingresses', 'patch workbenches/status'],
    events: [
      'MODIFIED workbenches',
      'ADDED pods',
      'MODIFIED pods',
      'MODIFIED pods',
      'ADDED ingresses',
      'MODIFIED workbenches',
    ],
  },
  resize: {
    title: 'a person asks for other sizes, stops it and starts it again',
    before: 'running',
    async act({ portal }, id) {
      await portal.resize(id);
      await portal.until(await portal.stop(id), 'stopped');
      return portal.start(id);
    },
    after: 'running',
    writes: [
      'patch workbenches',
      'patch workbenches',
      'delete ingresses',
      'delete pods',
      'patch workbenches',
      'create pods',
      'create ingresses',
      'patch workbenches/status',
    ],
    events: [],
  },
  apply: {
    title: 'a manifest is applied',
    before: 'nothing',
    async act({ hands }) {
      const id = hands.newName();
      await hands.make(id, {});
      return id;
    },
    after: 'running',
    writes: ['create pods', 'create services', 'create ingresses', 'patch workbenches/status'],
    events: ['ADDED workbenches', 'ADDED pods', 'ADDED services', 'MODIFIED pods', 'MODIFIED pods', 'ADDED ingresses'],
  },
  'state-edited': {
    title: 'a manifest says Stopped',
    before: 'running',
    async act({ hands }, id) {
      await hands.edit('Workbench', id, { spec: { state: 'Stopped' } });
      return id;
    },
    after: 'stopped',
    writes: ['delete ingresses', 'delete pods', 'patch workbenches/status'],
    events: ['MODIFIED workbenches', 'DELETED ingresses', 'MODIFIED pods', 'DELETED pods'],
  },
  'run-edited': {
    title: 'a manifest asks for another run',
    before: 'running',
    async act({ hands }, id) {
      const before = uidOf(hands, 'Pod', id);
      await hands.edit('Workbench', id, { spec: { run: 'again' } });
      await untilReplaced(hands, 'Pod', id, before);
      return id;
    },
    after: 'running',
    routeGoes: 'anytime',
    writes: ['delete pods', 'delete ingresses', 'create pods', 'create ingresses', 'patch workbenches/status'],
    events: ['MODIFIED workbenches', 'MODIFIED pods', 'DELETED pods', 'ADDED pods', 'DELETED ingresses'],
  },
  'pod-deleted': {
    title: 'somebody deletes its Pod',
    before: 'running',
    act: ({ hands }, id) => removed(hands, 'Pod', id),
    after: 'running',
    routeGoes: 'anytime',
    writes: ['delete ingresses', 'create pods', 'create ingresses', 'patch workbenches/status'],
    events: ['MODIFIED pods', 'DELETED pods', 'ADDED pods', 'DELETED ingresses', 'ADDED ingresses'],
  },
  'service-deleted': {
    title: 'somebody deletes its Service',
    before: 'running',
    act: ({ hands }, id) => removed(hands, 'Service', id),
    after: 'running',
    writes: ['create services'],
    events: ['DELETED services', 'ADDED services'],
  },
  'route-deleted': {
    title: 'somebody deletes its Ingress',
    before: 'running',
    act: ({ hands }, id) => removed(hands, 'Ingress', id),
    after: 'running',
    writes: ['create ingresses'],
    events: ['DELETED ingresses', 'ADDED ingresses'],
  },
  'service-edited': {
    title: 'somebody edits its Service',
    before: 'running',
    act: ({ hands }, id) => edited(hands, 'Service', id, { spec: { selector: { app: 'other' } } }),
    after: 'running',
    writes: ['patch services'],
    events: ['MODIFIED services', 'MODIFIED services'],
  },
  'route-edited': {
    title: 'somebody edits its Ingress',
    before: 'running',
    act: ({ hands }, id) =>
      edited(hands, 'Ingress', id, {
        spec: { defaultBackend: { service: { name: 'other', port: { number: 80 } } }, rules: null },
      }),
    after: 'running',
    writes: ['patch ingresses'],
    events: ['MODIFIED ingresses', 'MODIFIED ingresses'],
  },
  'labels-removed': {
    title: "somebody removes its Pod's labels",
    before: 'running',
    act: ({ hands }, id) => edited(hands, 'Pod', id, { metadata: { labels: null } }),
    after: 'running',
    writes: ['patch pods'],
    events: ['MODIFIED pods', 'MODIFIED pods'],
  },
  'owner-removed': {
    title: "somebody removes its Pod's owner reference",
    before: 'running',
    async act({ hands }, id) {
      await edited(hands, 'Pod', id, { metadata: { ownerReferences: null } });
      await hands.until('taken back', id, () => hands.view(id).some((o) => o.kind === 'Pod' && controllerOf(o)));
      return id;
    },
    after: 'running',
    writes: ['patch pods'],
    events: ['MODIFIED pods', 'MODIFIED pods'],
  },
  nonsense: {
    title: 'a manifest names an image that is not allowed, and then one that is',
    before: 'nothing',
    async act({ hands }) {
      const id = hands.newName();
      await hands.make(id, { image: 'elsewhere.example/other:1' });
      await hands.untilPhase(id, 'Failed', 'ImageNotAllowed');
      await hands.edit('Workbench', id, { spec: { image: null } });
      return id;
    },
    after: 'running',
    writes: ['create pods', 'create services', 'create ingresses', 'patch workbenches/status'],
    events: ['ADDED workbenches', 'MODIFIED workbenches', 'ADDED pods', 'ADDED services', 'ADDED ingresses'],
  },
  'image-missing': {
    title: 'its image cannot be pulled, and then it can',
    before: 'running',
    async act({ hands }, id) {
      const status = hands.view(id).find(({ kind }) => kind === 'Pod') as { status?: PodStatus };
      const { conditions = [], containerStatuses = [] } = status.status ?? {};
      const waiting = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image' } };
      await hands.edit(
        'Pod',
        id,
        podSays(conditions, 'False', { ...containerStatuses[0]!, ready: false, state: waiting }),
        'status',
      );
      await hands.untilPhase(id, 'Failed');
      await hands.edit('Pod', id, podSays(conditions, 'True', containerStatuses[0]!), 'status');
      return id;
    },
    after: 'running',
    writes: ['delete ingresses', 'create ingresses', 'patch workbenches/status'],
    events: ['MODIFIED pods', 'DELETED ingresses', 'ADDED ingresses'],
  },
  foreign: {
    title: "a stranger's Ingress stands on its path, and then is gone",
    before: 'nothing',
    async act({ hands }) {
      const id = hands.newName();
      const backend = { service: { name: 'other', port: { number: 80 } } };
      await hands.makeOther('Ingress', { metadata: { name: id }, spec: { defaultBackend: backend } });
      await hands.make(id, {});
      await hands.untilPhase(id, 'Failed', 'NameConflict');
      await hands.remove('Ingress', id);
      return id;
    },
    after: 'running',
    writes: ['create pods', 'create services', 'create ingresses', 'patch workbenches/status'],
    events: ['ADDED workbenches', 'DELETED ingresses', 'ADDED pods', 'ADDED services'],
  },
  recreated: {
    title: 'it is deleted and made again under its name at once',
    before: 'running',
    async act({ hands }, id) {
      await hands.remove('Workbench', id);
      await hands.make(id, {});
      return id;
    },
    after: 'running',
    writes: ['create pods', 'create services', 'create ingresses', 'patch workbenches/status'],
    events: ['DELETED workbenches', 'ADDED workbenches', 'DELETED pods', 'DELETED ingresses', 'ADDED pods'],
  },
  volume: {
    title: 'a person creates a workbench of a class with a volume',
    before: 'nothing',
    class: 'kept',
    act: ({ portal }) => portal.create('kept'),
    after: 'running',
    writes: [
      'create workbenches',
      'create persistentvolumeclaims',
      'create pods',
      'create services',
      'create ingresses',
      'patch workbenches/status',
    ],
    events: ['ADDED workbenches', 'ADDED persistentvolumeclaims', 'ADDED pods', 'ADDED services', 'MODIFIED pods'],
  },
  'volume-moved': {
    title: 'it is deleted, and another one of its owner takes its volume at once',
    before: 'running',
    class: 'kept',
    async act({ hands }, id) {
      const claim = hands.view(id).find(({ kind }) => kind === 'PersistentVolumeClaim')!.metadata.name;
      await hands.remove('Workbench', id);
      const other = hands.newName();
      await hands.make(other, { class: 'kept', storage: { claimName: claim } });
      return other;
    },
    after: 'running',
    writes: [
      'patch persistentvolumeclaims',
      'create pods',
      'create services',
      'create ingresses',
      'patch workbenches/status',
    ],
    events: [
      'DELETED workbenches',
      'ADDED workbenches',
      'DELETED pods',
      'MODIFIED persistentvolumeclaims',
      'ADDED pods',
    ],
  },
  'volume-kept': {
    title: 'a person deletes it, and its volume stays',
    before: 'running',
    class: 'kept',
    act: ({ portal }, id) => portal.delete(id),
    after: 'gone',
    writes: ['delete workbenches'],
    events: ['MODIFIED workbenches', 'DELETED pods', 'DELETED workbenches'],
  },
  'volume-thrown': {
    title: 'a person deletes it, and its volume goes, since its class says so',
    before: 'running',
    class: 'thrown',
    act: ({ portal }, id) => portal.delete(id),
    after: 'gone',
    writes: ['delete workbenches'],
    events: ['MODIFIED workbenches', 'DELETED pods', 'DELETED persistentvolumeclaims', 'DELETED workbenches'],
  },
  // The children are the garbage collector's.
  delete: {
    title: 'a person deletes it',
    before: 'running',
    act: ({ portal }, id) => portal.delete(id),
    after: 'gone',
    writes: ['delete workbenches'],
    events: ['MODIFIED workbenches', 'DELETED pods', 'DELETED services', 'DELETED ingresses', 'DELETED workbenches'],
  },
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

interface PodStatus {
  conditions?: { type: string; status: string }[];
  containerStatuses?: object[];
}

function podSays(conditions: { type: string; status: string }[], ready: string, container: object): object {
  const readiness = (type: string) => type === 'Ready' || type === 'ContainersReady';
  return {
    status: {
      conditions: conditions.map((one) => (readiness(one.type) ? { ...one, status: ready } : one)),
      containerStatuses: [container],
    },
  };
}

function uidOf(hands: Hands, kind: Kind, id: string): string | undefined {
  return hands.view(id).find((object) => object.kind === kind)?.metadata.uid;
}

async function removed(hands: Hands, kind: Kind, id: string): Promise<string> {
  const before = uidOf(hands, kind, id);
  await hands.remove(kind, id);
  await untilReplaced(hands, kind, id, before);
  return id;
}

/** There is one of another UID, and no other. */
async function untilReplaced(hands: Hands, kind: Kind, id: string, before: string | undefined): Promise<void> {
  await hands.until('replaced', id, () => {
    const [one, ...others] = hands.view(id).filter((object) => object.kind === kind);
    return one !== undefined && others.length === 0 && one.metadata.uid !== before;
  });
}

/** Edits, and waits until somebody has edited it again. */
async function edited(hands: Hands, kind: Kind, id: string, patch: object): Promise<string> {
  const edit = await hands.edit(kind, id, patch);
  await hands.until('mended', id, () => {
    const found = hands.view(id).find((object) => object.kind === kind);
    return found !== undefined && Number(found.metadata.resourceVersion) > Number(edit.metadata.resourceVersion);
  });
  return id;
}
