/**
 * Of a workbench that was given to another owner. Its volume goes with it as any mending does: the annotation on the claim is
 * made what `spec.owner` says, at whatever pass comes next, so no crash in between leaves it with the wrong person. Only what
 * bears this workbench's UID goes, and nothing that another workbench of the old owner has in its spec.
 */
import { isAttached } from './home.ts';
import type { Seen } from './home.ts';
import { labels } from './identity.ts';
import { KIND } from './resource.ts';
import type { Workbench } from './resource.ts';
import { isLeaving } from './steps.ts';
import type { Step } from './steps.ts';

/** That other one has the volume from now on, so that it does not follow later, when the other one is gone. */
export function handBack(workbench: Workbench, { claim, rival }: Seen): Step[] {
  if (!claim || !rival || !isAttached(claim, workbench) || isLeaving(claim)) return [];
  const { name, uid = '', resourceVersion, ownerReferences } = claim.metadata;
  const others = ownerReferences?.filter(({ kind }) => kind !== KIND) ?? [];
  return [
    {
      do: 'patch',
      kind: 'PersistentVolumeClaim',
      name,
      uid,
      patch: [
        { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'add', path: '/metadata/labels', value: { ...claim.metadata.labels, ...labels(rival) } },
        ...(ownerReferences ? [{ op: 'add' as const, path: '/metadata/ownerReferences', value: others }] : []),
      ],
    },
  ];
}
