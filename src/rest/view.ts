/** From a Workbench to the item that REST clients know. Unknown values are absent, not null. */
import { settingsFor } from '../workbench/class.ts';
import { isOwners, sizeOf, wantedSize } from '../workbench/home.ts';
import { claimName, podName, publicEndpoint, runOf } from '../workbench/identity.ts';
import type { Claim } from '../workbench/objects.ts';
import type { Snapshot } from '../workbench/plan.ts';
import { isOutdated, requestedImage, wasReady } from '../workbench/pod.ts';
import type { Phase, Workbench, WorkbenchStatus } from '../workbench/resource.ts';
import type { Item } from './shapes.ts';
import { NEWER_IMAGE } from '../workbench/status.ts';
import type { Settings } from '../workbench/settings.ts';

/**
 * The phase as of now. The status is the controller's, and may still speak of what was wanted before: a client that has just
 * called stop must not read "running".
 */
export function phaseNow({ metadata, spec, status }: Workbench): { phase: Phase; isStale: boolean } {
  const published = status?.phase ?? 'Starting';
  if (metadata.deletionTimestamp) return { phase: 'Stopping', isStale: published !== 'Stopping' };
  // The CRD's default speaks to people who wait in vain for a controller; whoever asks this one is being served.
  if (!status || status.reason === 'NotSeenYet') {
    return { phase: spec.state === 'Stopped' ? 'Stopping' : 'Starting', isStale: true };
  }
  const isCurrent = status.observedGeneration === metadata.generation;
  if (isCurrent) return { phase: published, isStale: false };
  const isDown = published === 'Stopped' || published === 'Stopping';
  if (spec.state === 'Stopped') return { phase: isDown ? published : 'Stopping', isStale: !isDown };
  const isAnotherRun = (status.run ?? '') !== (spec.run ?? '');
  return isDown || isAnotherRun ? { phase: 'Starting', isStale: true } : { phase: published, isStale: false };
}

export type Viewed = Pick<Snapshot, 'pods' | 'class' | 'claim'> & { workbench: Workbench };

export function toItem({ workbench, pods, class: found, claim }: Viewed, installation: Settings): Item {
  const { metadata, spec, status } = workbench;
  const settings = settingsFor(spec, found, installation);
  const { phase: published, isStale } = phaseNow(workbench);
  const endpoint = publicEndpoint(metadata.name, settings);
  // An admin has moved BASE_URL, and nobody has looked there yet.
  const isMoved = published === 'Running' && status?.publicEndpoint !== endpoint;
  const phase: Phase = isMoved ? 'Provisioning' : published;
  const cpu = spec.resources?.cpu ?? settings.defaultCpu;
  const memory = spec.resources?.memory ?? settings.defaultMemory;
  const digest = status?.run === runOf(workbench) ? status.image?.digest : undefined;
  const pod = pods.find(({ metadata: { name } }) => name === podName(workbench));
  // Judged on the Pod itself, so that the answer to a PATCH says so already; a Pod that is not ready is made anew at once.
  const isServing =
    spec.state !== 'Stopped' && pod !== undefined && wasReady(workbench, pod) && !pod.metadata.deletionTimestamp;
  const isRestartRequired = isServing && isOutdated(pod, workbench, found, settings);
  return compact({
    user_id: spec.owner,
    workbench_id: metadata.name,
    workbench_name: spec.displayName,
    status: phase.toLowerCase() as Lowercase<Phase>,
    status_reason: isStale ? undefined : status?.reason,
    status_message: isStale ? undefined : status?.message,
    public_endpoint: endpoint,
    class: spec.class,
    version: spec.version,
    image: requestedImage(workbench, settings),
    image_digest: digest,
    requested_cpu: cpu === undefined ? undefined : String(cpu),
    requested_memory: memory === undefined ? undefined : String(memory),
    requested_gpu: spec.resources?.gpu ?? settings.defaultGpu,
    created_at: metadata.creationTimestamp,
    started_at: isStale ? undefined : status?.startedAt,
    restart_required: isRestartRequired || undefined,
    newer_image: (isServing && hasNewerImage(status)) || undefined,
    storage: storageOf(workbench, claim, settings),
  });
}

function hasNewerImage(status: WorkbenchStatus | undefined): boolean {
  return (
    status?.conditions?.some((condition) => condition.type === NEWER_IMAGE && condition.status === 'True') === true
  );
}

/** The volume that it has, or will have. */
function storageOf(workbench: Workbench, claim: Claim | undefined, { storage }: Settings): Item['storage'] {
  const isIts = claim !== undefined && isOwners(claim, workbench);
  if (!storage && !isIts) return undefined;
  const size = (isIts ? sizeOf(claim) : undefined) ?? (storage && wantedSize(workbench, storage));
  const said = workbench.status?.conditions?.find(({ type }) => type === 'VolumeResized')?.message;
  return { volume_id: claimName(workbench), size: size ?? '', ...(said ? { message: said } : {}) };
}

function compact(item: { [K in keyof Item]: Item[K] | undefined }): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)) as unknown as Item;
}
