/** A start state as a world in which it is so. */
import { publicEndpoint } from '../../src/workbench/identity.ts';
import type { KubeObject, Pod } from '../../src/workbench/objects.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import type { Settings } from '../../src/workbench/settings.ts';
import type { Child, PodWord, StartState } from './start-states.ts';
import { HELD, SILENT_NODE, World, readyStatus } from './world.ts';

/** On a Workbench whose deletion is "held". */
export const OTHERS_FINALIZER = 'example.com/backup';

export interface Begun {
  world: World;
  foreign: KubeObject[];
}

const over = (phase: string) => ({ phase, reason: 'Evicted', message: 'low on memory' });

/** The status by which a kubelet says so. */
export const SAYS: Record<PodWord, (pod: Pod) => NonNullable<Pod['status']>> = {
  pending: () => ({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] }),
  ready: (pod) => readyStatus(pod, pod.metadata.creationTimestamp!),
  failed: () => over('Failed'),
  succeeded: () => over('Succeeded'),
  // The control plane has given its node up.
  unknown: (pod) => {
    const ready = readyStatus(pod, pod.metadata.creationTimestamp!);
    const conditions = ready.conditions!.map((one) =>
      one.type === 'Ready' ? { ...one, status: 'False' as const } : one,
    );
    return { ...ready, conditions };
  },
};

/** @param owner as it was when it was made: with a UID, and without a status */
export function begin(
  { wish, children, status }: StartState,
  owner: Workbench,
  settings: Settings,
  now: number,
): Begun {
  const world = new World(now);
  const { name, uid } = owner.metadata;
  const made = children(owner, settings).map((child) => ({ child, object: put(world, child) }));
  const pod = made.find(({ child }) => child.kind === 'Pod')?.object.metadata.uid ?? 'none';
  const said = status(pod, publicEndpoint(name, settings));
  const finalizers = wish.deletion === 'held' ? { finalizers: [OTHERS_FINALIZER] } : {};
  const born = { ...owner, metadata: { ...owner.metadata, ...finalizers }, ...(said ? { status: said } : {}) };
  world.create('Workbench', born);
  if (wish.deletion) world.delete('Workbench', name, uid!, { finalizer: FINALIZER[wish.deletion] });
  return { world, foreign: made.filter(({ child }) => child.isForeign).map(({ object }) => object) };
}

const FINALIZER = { foreground: 'foregroundDeletion', orphan: 'orphan', held: '', over: '' };

function put(world: World, { kind, object, isLeaving, isSilent, says = 'ready', age = 100 }: Child): KubeObject {
  const { name } = object.metadata;
  const creationTimestamp = new Date(world.now - age * 1_000).toISOString();
  const metadata = { ...object.metadata, creationTimestamp, ...(isLeaving ? { finalizers: [HELD] } : {}) };
  const made = { ...object, metadata };
  if (kind === 'Pod') {
    const pod: Pod = { ...made, spec: { ...(made as Pod).spec!, nodeName: isSilent ? SILENT_NODE : 'node-1' } };
    const born: Pod = { ...pod, status: SAYS[says](pod) };
    world.create(kind, born);
  } else world.create(kind, made);
  if (isLeaving || isSilent) world.delete(kind, name, world.get(kind, name)!.metadata.uid!);
  return world.get(kind, name)!;
}
