/** An administrator gives a workbench, and the files in its volume, to another owner. */
import type { Store } from '../kube/store.ts';
import { isAttached } from '../workbench/home.ts';
import { claimName } from '../workbench/identity.ts';
import type { PatchOperation } from '../workbench/objects.ts';
import type { Workbench } from '../workbench/resource.ts';
import { shareSteps } from '../workbench/shares.ts';
import { Problem } from './problem.ts';

/**
 * The volume follows by the controller's hand, which makes the claim say what the workbench says; see workbench/handover.ts.
 * @throws Problem 409
 */
export function transferSteps(seen: Workbench, to: string, store: Pick<Store, 'collections'>): PatchOperation[] {
  const { metadata, spec, status } = seen;
  if (to === spec.owner) return [];
  const isKnown = status?.observedGeneration === metadata.generation;
  const hasPod = store.collections.Pod.indexed(metadata.name).length > 0;
  if (status?.phase !== 'Stopped' || !isKnown || hasPod) throw notStopped();
  refuseHalves(seen, store);
  return [
    { op: 'test', path: '/metadata/generation', value: metadata.generation },
    { op: 'test', path: '/status/phase', value: 'Stopped' },
    { op: 'replace', path: '/spec/owner', value: to },
    // The new owner needs none.
    ...(spec.shares?.some(({ user }) => user === to) ? shareSteps(seen, to, null) : []),
  ];
}

/** Files that another workbench of the old owner has, too, or that this one does not have now, are not given away with it. */
function refuseHalves(seen: Workbench, { collections }: Pick<Store, 'collections'>): void {
  const { metadata, spec } = seen;
  const name = claimName(seen);
  const claims = collections.PersistentVolumeClaim.indexed(spec.owner);
  const earlier = claims.find((claim) => claim.metadata.name !== name && isAttached(claim, seen));
  // The new owner could go back to it, and find what was left there.
  if (earlier)
    throw inUse(
      `The volume "${earlier.metadata.name}" was once this workbench's; delete it or use it elsewhere first.`,
    );
  const claim = claims.find((one) => one.metadata.name === name);
  if (!claim) return;
  const others = collections.Workbench.indexed(spec.owner).filter((other) => other.metadata.name !== metadata.name);
  const other = others.find((workbench) => claimName(workbench) === name || isAttached(claim, workbench));
  if (other)
    throw inUse(
      `The volume "${name}" is of workbench "${other.metadata.name}", too; take it away from one of them first.`,
    );
  if (!isAttached(claim, seen))
    throw inUse(`The volume "${name}" was never mounted by this workbench; take it away from it first.`);
}

function notStopped(): Problem {
  const message = 'Stop the workbench first, and wait until it is stopped: its Pod is that of its present owner.';
  return new Problem(409, 'NotStopped', message);
}

function inUse(message: string): Problem {
  return new Problem(409, 'VolumeInUse', message);
}
