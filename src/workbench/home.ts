/**
 * Where the files of a workbench are: its PersistentVolumeClaim, from its birth over growth and the hands of another
 * workbench to its end. Ours is what bears our label and names the owner to the letter; it serves one workbench at a time.
 */
import {
  ANNOTATION_CLASS_NAME,
  ANNOTATION_OWNER,
  LABEL_UID,
  claimName,
  labels,
  ownerReference,
  uidOf,
} from './identity.ts';
import type { Claim, PatchOperation, Pod } from './objects.ts';
import { isLess, parseQuantity } from './quantity.ts';
import { KIND } from './resource.ts';
import type { Workbench } from './resource.ts';
import type { Refusal } from './admit.ts';
import { isSame } from './same.ts';
import type { Settings, StorageSettings } from './settings.ts';
import { isLeaving } from './steps.ts';
import type { Step } from './steps.ts';

export interface Home {
  /** The claim that the Pod mounts. */
  name: string;
  /** What is to be written before a Pod may mount it. */
  steps: Step[];
  /** Why no Pod may mount it now. */
  obstacle?: { phase: 'Pending' | 'Failed' } & Refusal;
  /** Why it is not as large as it was asked to be. */
  unresized?: Refusal;
}

/** What is known of it. */
export interface Seen {
  /** The one that its name leads to, whosever it is. */
  claim?: Claim;
  /** Pods of others that mount it, those on their way out included. */
  mountedBy?: Pod[];
  /** One of the claim's own owner that has it in its spec, where the workbench itself was given to somebody else. */
  rival?: Workbench;
  /** Another workbench whose Pod with this claim is being made. */
  promisedTo?: string;
  /** Bytes that the owner's other volumes take. */
  storageTaken?: number;
  /** Bytes that those of the same class take. */
  storageTakenOfClass?: number;
}

/** @returns undefined: the files live in the Pod. @param settings those of its class, if there is one */
export function homeOf(workbench: Workbench, seen: Seen, settings: Settings): Home | undefined {
  const { claim } = seen;
  const isItsOwners = claim !== undefined && isOwners(claim, workbench, seen.rival);
  // A volume that was made once is used, also if its class has none any more: nobody's files are to vanish.
  if (!settings.storage && !isItsOwners) return undefined;
  const name = claimName(workbench);
  const because = (phase: 'Pending' | 'Failed', reason: string, message: string): Home => ({
    name,
    steps: [],
    obstacle: { phase, reason, message },
  });
  const isNamed = workbench.spec.storage?.claimName !== undefined;
  if (isNamed && !isItsOwners) return because('Failed', 'VolumeMissing', `The owner has no volume "${name}".`);
  if (!claim) {
    const refusal = refusalOfSum(wantedSize(workbench, settings.storage!), seen, settings);
    if (refusal) return { name, steps: [], obstacle: { phase: 'Failed', ...refusal } };
    return {
      name,
      steps: [{ do: 'create', kind: 'PersistentVolumeClaim', object: buildClaim(workbench, settings.storage!) }],
    };
  }
  if (!isItsOwners) {
    const message = `PersistentVolumeClaim "${name}" exists and belongs to somebody else; it is left alone until it is removed.`;
    return because('Failed', 'NameConflict', message);
  }
  if (isLeaving(claim))
    return because('Pending', 'VolumeTerminating', `The volume "${name}" is being deleted; a new one follows.`);
  if (claim.status?.phase === 'Lost')
    return because('Failed', 'VolumeLost', `The storage behind the volume "${name}" is gone.`);
  const other = seen.mountedBy?.[0]?.metadata.name;
  if (other !== undefined)
    return because('Pending', 'VolumeInUse', `The volume "${name}" is mounted by Pod "${other}".`);
  if (seen.promisedTo !== undefined)
    return because('Pending', 'VolumeInUse', `The volume "${name}" is being given to workbench "${seen.promisedTo}".`);
  const growth = grow(workbench, claim, seen, settings);
  return { name, ...growth, steps: [...attach(workbench, claim, settings), ...growth.steps] };
}

/** While nothing runs: a class that has changed its retention says so of the claims that it has, too. */
export function upkeep(workbench: Workbench, { claim, rival }: Seen, settings: Settings): Step[] {
  const isIts = claim !== undefined && isAttached(claim, workbench) && !rival;
  return isIts && !isLeaving(claim) ? attach(workbench, claim, settings) : [];
}

export function mounts({ spec }: Pod, name: string): boolean {
  return spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === name) === true;
}

export function ownerOf(claim: Claim): string | undefined {
  return isManaged(claim) ? claim.metadata.annotations?.[ANNOTATION_OWNER] : undefined;
}

/** An admin may give a workbench to another owner; what it holds goes with it, unless its owner's others have that, too. */
export function isOwners(claim: Claim, workbench: Workbench, rival?: Workbench): boolean {
  return ownerOf(claim) === workbench.spec.owner || (isManaged(claim) && isAttached(claim, workbench) && !rival);
}

function isManaged({ metadata }: Claim): boolean {
  return (
    metadata.labels?.['app.kubernetes.io/managed-by'] === 'workbench-controller' &&
    metadata.annotations?.[ANNOTATION_OWNER] !== undefined
  );
}

/** The workbench that had it last. */
export function isAttached(claim: Claim, workbench: Workbench): boolean {
  return uidOf(workbench) !== '' && claim.metadata.labels?.[LABEL_UID] === uidOf(workbench);
}

export function claimedBytes({ spec }: Claim): number {
  return parseQuantity(spec?.resources?.requests?.storage ?? '') ?? 0;
}

/** What it has; until it has anything, what it asks for. */
export function sizeOf({ spec, status }: Claim): string | undefined {
  return status?.capacity?.storage ?? spec?.resources?.requests?.storage;
}

export function wantedSize({ spec }: Workbench, { size }: StorageSettings): string {
  return String(spec.storage?.size ?? size);
}

function buildClaim(workbench: Workbench, storage: StorageSettings): Claim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimName(workbench),
      ...wantedMeta(workbench, storage),
    },
    spec: {
      accessModes: [storage.accessMode],
      ...(storage.storageClassName === undefined ? {} : { storageClassName: storage.storageClassName }),
      resources: { requests: { storage: wantedSize(workbench, storage) } },
    },
  };
}

/** With `Delete` it goes with its workbench, from its birth on; with `Retain` nothing takes it away but its owner. */
function wantedMeta(
  workbench: Workbench,
  storage: StorageSettings,
): Pick<Claim['metadata'], 'labels' | 'annotations' | 'ownerReferences'> {
  return {
    labels: labels(workbench),
    annotations: wordsFor(workbench),
    ...(storage.retention === 'Delete' ? { ownerReferences: [ownerReference(workbench)] } : {}),
  };
}

function wordsFor({ spec }: Workbench): Record<string, string> {
  return {
    [ANNOTATION_OWNER]: spec.owner,
    ...(spec.class === undefined ? {} : { [ANNOTATION_CLASS_NAME]: spec.class }),
  };
}

/** Makes it this workbench's, unless somebody else has changed it meanwhile. */
function attach(workbench: Workbench, claim: Claim, { storage }: Settings): Step[] {
  const { metadata } = claim;
  const others = (metadata.ownerReferences ?? []).filter(({ kind }) => kind !== KIND);
  // Without a class that says so, what was agreed once stays.
  const isKept = !storage && isAttached(claim, workbench);
  const wanted = storage && wantedMeta(workbench, storage);
  const after = {
    labels: { ...metadata.labels, ...labels(workbench) },
    annotations: { ...metadata.annotations, ...wordsFor(workbench) },
    ownerReferences: isKept ? (metadata.ownerReferences ?? []) : [...others, ...(wanted?.ownerReferences ?? [])],
  };
  const before = {
    labels: metadata.labels,
    annotations: metadata.annotations,
    ownerReferences: metadata.ownerReferences ?? [],
  };
  const changed = Object.entries(after).filter(([key, value]) => !isSame(before[key as 'labels'], value));
  if (changed.length === 0) return [];
  const patch: PatchOperation[] = [
    { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
    ...changed.map(([key, value]) => ({ op: 'add' as const, path: `/metadata/${key}`, value })),
  ];
  return [mend(claim, patch, { ifAlive: workbench })];
}

/** Only what an author asks for: a class that changes its usual size changes no volume. */
function grow(
  workbench: Workbench,
  claim: Claim,
  seen: Seen,
  settings: Settings,
): { steps: Step[]; unresized?: Refusal } {
  const wanted = workbench.spec.storage?.size;
  const current = claim.spec?.resources?.requests?.storage;
  const name = claim.metadata.name;
  if (wanted === undefined || current === undefined) return { steps: [] };
  if (isLess(wanted, current)) {
    const message = `The volume "${name}" has ${current} and cannot shrink to ${wanted}.`;
    return { steps: [], unresized: { reason: 'VolumeCannotShrink', message } };
  }
  if (!isLess(current, wanted)) return { steps: [] };
  const refusal = refusalOfSum(String(wanted), seen, settings) ?? refusedBefore(workbench);
  if (refusal) return { steps: [], unresized: refusal };
  const patch: PatchOperation[] = [{ op: 'replace', path: '/spec/resources/requests/storage', value: String(wanted) }];
  return { steps: [mend(claim, patch, { isOptional: true })] };
}

/** The API server was asked for this very spec: it is asked again when that changes. */
function refusedBefore({ status, metadata }: Workbench): Refusal | undefined {
  const said = status?.conditions?.find(({ type }) => type === 'VolumeResized');
  const isOfThis = said?.status === 'False' && said.observedGeneration === metadata.generation;
  return isOfThis && said.reason === 'VolumeCannotGrow'
    ? { reason: said.reason, message: said.message ?? '' }
    : undefined;
}

function refusalOfSum(size: string, seen: Seen, { userLimits, classStorage }: Settings): Refusal | undefined {
  return (
    judgeSum(size, seen.storageTaken, userLimits?.storage, 'storage; other volumes') ??
    judgeSum(size, seen.storageTakenOfClass, classStorage, 'storage of this class; other volumes of it')
  );
}

function judgeSum(size: string, taken = 0, most: string | undefined, what: string): Refusal | undefined {
  if (most === undefined || taken + parseQuantity(size)! <= parseQuantity(most)!) return undefined;
  const gibi = `${Number((taken / 2 ** 30).toFixed(2))}Gi`;
  const message = `The owner may take ${most} of ${what} take ${gibi}, and this one asks for ${size}.`;
  return { reason: 'UserLimit', message };
}

function mend({ metadata }: Claim, patch: PatchOperation[], how: { ifAlive?: Workbench; isOptional?: boolean }): Step {
  return { do: 'patch', kind: 'PersistentVolumeClaim', name: metadata.name, uid: metadata.uid ?? '', patch, ...how };
}
