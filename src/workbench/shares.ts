/** Who may do what with a workbench: its owner everything, those whom it is shared with what their share says. */
import type { PatchOperation } from './objects.ts';
import type { Permission, Share, Workbench } from './resource.ts';

export type Right = Permission | 'owner';

/** Each includes those before it. */
const RIGHTS: readonly Right[] = ['read', 'read-write', 'owner'];

/** @returns undefined: a stranger, who must not even learn that it is there */
export function permissionOf(workbench: Pick<Workbench, 'spec'>, user: string): Right | undefined {
  if (workbench.spec.owner === user) return 'owner';
  return shareOf(workbench, user)?.permission;
}

export function includes(right: Right, needed: Right): boolean {
  return RIGHTS.indexOf(right) >= RIGHTS.indexOf(needed);
}

/** What a write in this user's name rests on: it fails where that is so no more. */
export function proofOf(workbench: Workbench, user: string): PatchOperation {
  const share = shareOf(workbench, user);
  if (workbench.spec.owner === user || !share) return { op: 'test', path: '/spec/owner', value: user };
  return { op: 'test', path: pathOf(workbench, user), value: share };
}

/**
 * Gives a user this permission, or takes it away with null. A new share is put at the end whatever else is there, so that
 * those of several replicas at once are all kept; the API server refuses a second of one user.
 */
export function shareSteps(workbench: Workbench, user: string, permission: Permission | null): PatchOperation[] {
  const { generation } = workbench.metadata;
  const known = shareOf(workbench, user);
  const unchanged: PatchOperation = { op: 'test', path: '/metadata/generation', value: generation };
  if (!known) {
    if (permission === null) return [unchanged];
    const value: Share = { user, permission };
    if (workbench.spec.shares) return [{ op: 'add', path: '/spec/shares/-', value }];
    return [unchanged, { op: 'add', path: '/spec/shares', value: [value] }];
  }
  const path = pathOf(workbench, user);
  const asSeen: PatchOperation = { op: 'test', path, value: known };
  if (permission === null) return [asSeen, { op: 'remove', path }];
  if (permission === known.permission) return [asSeen];
  return [asSeen, { op: 'replace', path: `${path}/permission`, value: permission }];
}

function shareOf({ spec }: Pick<Workbench, 'spec'>, user: string): Share | undefined {
  return spec.shares?.find((share) => share.user === user);
}

function pathOf({ spec }: Workbench, user: string): string {
  return `/spec/shares/${spec.shares!.findIndex((share) => share.user === user)}`;
}
