/** How much one owner may have at once. Judged over all workbenches of the owner, the oldest first; what runs is never taken away. */
import { settingsFor } from './class.ts';
import type { ClassSpec, WorkbenchClass } from './class.ts';
import type { Refusal } from './admit.ts';
import { claimedBytes, wantedSize } from './home.ts';
import type { Seen } from './home.ts';
import { ANNOTATION_CLASS_NAME, claimName, runOf } from './identity.ts';
import type { Claim } from './objects.ts';
import { sizes } from './pod.ts';
import { parseQuantity } from './quantity.ts';
import type { Workbench } from './resource.ts';
import type { Settings } from './settings.ts';

export interface UserLimits {
  /** Workbenches, whether they run or not. */
  workbenches?: number;
  running?: number;
  /** Kubernetes quantities, of all that run together. */
  cpu?: string;
  memory?: string;
  gpu?: number;
  /** Of all volumes, the kept ones included. */
  storage?: string;
}

/** A workbench of an owner, with what must be known of it to say what it takes. */
export interface Sibling {
  workbench: Workbench;
  class?: WorkbenchClass;
  hasPod: boolean;
  hasClaim: boolean;
}

/** Whether anything is to be counted before a workbench of this class may start. */
export function isLimited(found: WorkbenchClass | undefined, { userLimits }: Settings): boolean {
  return userLimits !== undefined || found?.spec.perUser !== undefined;
}

/**
 * Why this workbench may not start now, given the owner's others; undefined: it may.
 * @param wanted one that is not there yet is the youngest
 */
export function refusalOfUser(
  wanted: Pick<Sibling, 'workbench' | 'class'>,
  others: readonly Sibling[],
  installation: Settings,
): Refusal | undefined {
  const { spec } = wanted.workbench;
  const perUser = wanted.class?.spec.perUser;
  const ofClass = others.filter(({ workbench }) => workbench.spec.class === spec.class);
  return (
    judge(wanted, others, installation.userLimits, '', installation) ??
    judge(wanted, ofClass, perUser && limitsOf(perUser), ` of the class "${spec.class}"`, installation)
  );
}

/** A manifest may write a size as a number. */
function limitsOf({ workbenches, running, cpu, memory, gpu }: NonNullable<ClassSpec['perUser']>): UserLimits {
  const limits = { workbenches, running, gpu, cpu: cpu?.toString(), memory: memory?.toString() };
  return Object.fromEntries(Object.entries(limits).filter(([, most]) => most !== undefined)) as UserLimits;
}

/** @param ofWhat which workbenches are counted, in words */
function judge(
  wanted: Pick<Sibling, 'workbench' | 'class'>,
  others: readonly Sibling[],
  limits: UserLimits | undefined,
  ofWhat: string,
  installation: Settings,
): Refusal | undefined {
  if (!limits) return undefined;
  const older = others.filter(({ workbench }) => isOlder(workbench, wanted.workbench)).length;
  if (limits.workbenches !== undefined && older >= limits.workbenches)
    return refusal(`have ${limits.workbenches} workbenches${ofWhat}, and has ${older} older ones`);
  // One whose Pod was lost comes before all that only wait.
  const comesFirst = keepsItsPlace(wanted.workbench)
    ? isUp
    : (other: Sibling) => isUp(other) || (waits(other) && isOlder(other.workbench, wanted.workbench));
  const running = others.filter(comesFirst);
  if (limits.running !== undefined && running.length >= limits.running)
    return refusal(`run ${limits.running} workbenches${ofWhat} at once, and ${running.length} come first`);
  const where = ofWhat && ` with workbenches${ofWhat}`;
  for (const what of ['cpu', 'memory', 'gpu'] as const) {
    const most = limits[what];
    if (most === undefined) continue;
    const [size, taken] = [sizeOf(wanted, what, installation), sum(running, what, installation)];
    if (size === undefined)
      return refusal(`take ${most} of ${what} at once${where}, so a workbench must say how much of it it takes`);
    if (taken + size > parseQuantity(String(most))!)
      return refusal(
        `take ${most} of ${what} at once${where}; the others take ${text(taken)}, and this one asks for ${text(size)}`,
      );
  }
  return undefined;
}

/** What is to be known of the owner's other volumes before one may be made or grow; both are asked for only if that counts. */
export function storageSeen(
  { workbench, class: found }: Pick<Sibling, 'workbench' | 'class'>,
  siblings: () => readonly Sibling[],
  volumes: () => readonly Claim[],
  installation: Settings,
): Pick<Seen, 'storageTaken' | 'storageTakenOfClass'> {
  const isCounted = installation.userLimits?.storage !== undefined;
  const isCountedOfClass = found?.spec.perUser?.storage !== undefined;
  if (!isCounted && !isCountedOfClass) return {};
  const [others, claims] = [siblings(), volumes()];
  const { class: name } = workbench.spec;
  const ofClass = others.filter(({ workbench: { spec } }) => spec.class === name);
  const claimsOfClass = claims.filter(({ metadata }) => metadata.annotations?.[ANNOTATION_CLASS_NAME] === name);
  return {
    ...(isCounted ? { storageTaken: storageTaken(workbench, others, claims, installation) } : {}),
    ...(isCountedOfClass ? { storageTakenOfClass: storageTaken(workbench, ofClass, claimsOfClass, installation) } : {}),
  };
}

/** Bytes that the owner's other volumes take, those that come first and are not made yet included. */
export function storageTaken(
  wanted: Workbench,
  others: readonly Sibling[],
  claims: readonly Claim[],
  installation: Settings,
): number {
  const mine = claimName(wanted);
  const made = claims
    .filter(({ metadata }) => metadata.name !== mine)
    .reduce((sum, claim) => sum + claimedBytes(claim), 0);
  return others
    .filter((other) => !other.hasClaim && (other.hasPod || (waits(other) && isOlder(other.workbench, wanted))))
    .reduce((sum, { workbench, class: found }) => {
      const { storage } = settingsFor(workbench.spec, found, installation);
      return storage ? sum + parseQuantity(wantedSize(workbench, storage))! : sum;
    }, made);
}

function refusal(what: string): Refusal {
  return { reason: 'UserLimit', message: `The owner may ${what}.` };
}

function isOlder({ metadata: one }: Workbench, { metadata: other }: Workbench): boolean {
  if (other.creationTimestamp === undefined) return true;
  if (one.creationTimestamp !== other.creationTimestamp) return one.creationTimestamp! < other.creationTimestamp;
  return one.name < other.name;
}

/** Whether it would run if it might: one that has failed of itself keeps nobody else waiting. */
function waits({ workbench: { metadata, spec, status } }: Sibling): boolean {
  if (spec.state === 'Stopped' || metadata.deletionTimestamp) return false;
  return status?.phase !== 'Failed' || status.reason === 'UserLimit';
}

function isUp({ workbench, hasPod }: Sibling): boolean {
  return hasPod || keepsItsPlace(workbench);
}

/** It has run, and its Pod was lost a moment ago. */
function keepsItsPlace(workbench: Workbench): boolean {
  const { status, spec } = workbench;
  const hasRun = status?.run === runOf(workbench) && status.image !== undefined;
  return hasRun && spec.state !== 'Stopped' && status.phase !== 'Failed';
}

function sum(siblings: readonly Sibling[], what: 'cpu' | 'memory' | 'gpu', installation: Settings): number {
  return siblings.reduce((total, sibling) => total + (sizeOf(sibling, what, installation) ?? 0), 0);
}

function sizeOf(
  { workbench, class: found }: Pick<Sibling, 'workbench' | 'class'>,
  what: 'cpu' | 'memory' | 'gpu',
  installation: Settings,
): number | undefined {
  const settings = settingsFor(workbench.spec, found, installation);
  const list = sizes(workbench, settings);
  const size = what === 'gpu' ? (list[settings.gpuResource] ?? '0') : list[what];
  return size === undefined ? undefined : parseQuantity(size);
}

/** Bytes in the unit that people ask for them in. */
function text(amount: number): string {
  const gibi = amount / 2 ** 30;
  return gibi >= 0.01 ? `${Number(gibi.toFixed(2))}Gi` : String(Number(amount.toFixed(3)));
}
