/**
 * What one Pod's own words mean for its workbench. Ordered checks, the first that answers wins, in the order in which a Pod
 * comes up: failed as a whole, without a node, node lost, image, process, ready.
 */
import { gist } from './gist.ts';
import type { Claim, Condition, ContainerStatus, Pod } from './objects.ts';
import type { Phase } from './resource.ts';

export interface Finding {
  phase: Phase;
  reason: string;
  message: string;
  /** Look again after this long: a limit of time is near. */
  recheckAfterMs?: number;
}

export interface PhaseContext {
  now: number;
  unschedulableAfterMs: number;
  /** Shown with "out of memory", so that a person knows what to raise. */
  memoryLimit?: string;
  /** Why this very Pod was published as Failed, so that a retry of the kubelet does not look like progress. */
  previousFailure?: string;
  /** That the Pod mounts. */
  claim?: Claim;
}

type Check = (pod: Pod, context: PhaseContext) => Finding | undefined;

export function podCondition(pod: Pod, type: string): Condition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** The Pod object will never run a container again. */
export function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
}

/** Of the IDE itself: an admission webhook may have put others beside it. */
export function container(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === 'workbench') ?? pod.status?.containerStatuses?.[0];
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Evicted, refused by the kubelet (OutOfcpu, NodeAffinity), shut down with its node. */
const over: Check = (pod) => {
  if (!isOver(pod)) return undefined;
  const reason = pod.status?.reason || 'PodFailed';
  // A kubelet that evicts may lose its own reason when the process ends quickly.
  const why = gist(pod.status?.message) || 'its node ended it and gave no reason';
  return { phase: 'Pending', reason, message: `The Pod has ended and is being replaced: ${sentence(why)}` };
};

/** A Pod without a node waits for its volume; the scheduler knows as much, and the claim says what is wrong with it. */
const withoutVolume: Check = (pod, { claim }) => {
  if (!claim || podCondition(pod, 'PodScheduled')?.status !== 'False') return undefined;
  const name = claim.metadata.name;
  if (claim.metadata.deletionTimestamp !== undefined)
    return { phase: 'Failed', reason: 'VolumeTerminating', message: `The volume "${name}" is being deleted.` };
  if (claim.status?.phase === 'Lost')
    return { phase: 'Failed', reason: 'VolumeLost', message: `The storage behind the volume "${name}" is gone.` };
  return undefined;
};

const unscheduled: Check = (pod, { now, unschedulableAfterMs, claim }) => {
  const scheduled = podCondition(pod, 'PodScheduled');
  if (scheduled?.status === 'False') {
    // A claim may wait for the Pod's node, as the Pod does: what is missing is in the scheduler's words.
    const isOfVolume = claim?.status?.phase === 'Pending' && /volume/i.test(scheduled.message ?? '');
    const reason = isOfVolume ? 'VolumePending' : (scheduled.reason ?? 'Unschedulable');
    // What follows the first sentence is the scheduler's own business (preemption, claims).
    const why = gist(scheduled.message).replace(/\. .*$/, '');
    const what = isOfVolume ? waitsFor(claim) : 'No node can take the Pod';
    const message = `${what}: ${sentence(why || 'the scheduler gave no reason')}`;
    const waited = now - Date.parse(scheduled.lastTransitionTime ?? '');
    if (waited >= unschedulableAfterMs) return { phase: 'Failed', reason, message };
    // An unreadable time counts as "just now": the Pod gets its whole patience.
    const remaining = unschedulableAfterMs - (Number.isFinite(waited) ? Math.max(waited, 0) : 0);
    return { phase: 'Pending', reason, message, recheckAfterMs: remaining };
  }
  if (scheduled?.status === 'True' || pod.spec?.nodeName) return undefined;
  return { phase: 'Pending', reason: 'Scheduling', message: 'The Pod waits for the scheduler.' };
};

function waitsFor({ metadata, spec }: Claim): string {
  const storage = spec?.storageClassName ? `storage class "${spec.storageClassName}"` : 'the default storage class';
  return `The volume "${metadata.name}" waits for storage (${storage})`;
}

/**
 * A node that stops reporting: the control plane takes the Pod's readiness away, but the kubelet, which alone speaks of
 * containers, still has it as ready. (Nodes are cluster-scoped; this controller may not read them.)
 */
const nodeLost: Check = (pod) => {
  const status = container(pod);
  const contradiction =
    podCondition(pod, 'Ready')?.status === 'False' &&
    podCondition(pod, 'ContainersReady')?.status === 'True' &&
    status?.ready === true &&
    status.state?.running !== undefined;
  if (!contradiction && pod.status?.reason !== 'NodeLost') return undefined;
  return {
    phase: 'Pending',
    reason: 'NodeLost',
    message: `Node ${pod.spec?.nodeName ?? 'unknown'} has stopped reporting; the workbench is replaced when its Pod is gone.`,
  };
};

/** Waiting reasons of the kubelet that need a person at once; ErrImagePull and the like are its first attempts. */
const IMAGE_REFUSALS = ['ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'ImageInspectError'];
const IMAGE_ATTEMPTS = ['ErrImagePull', 'RegistryUnavailable', 'SignatureValidationFailed'];
const CONFIG_ERRORS = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'PostStartHookError'];

const imageProblem: Check = (pod, { previousFailure }) => {
  const { reason = '', message } = container(pod)?.state?.waiting ?? {};
  const image = pod.spec?.containers[0]?.image ?? '';
  const why = gist(message)
    .replace(/^Back-off pulling image "[^"]*"(: )?/, '')
    .replace(/^ErrImagePull: /, '')
    .replace(/failed to (pull and unpack image|resolve reference) "[^"]*": /g, '');
  const text = `The image "${image}" could not be pulled${why ? `: ${sentence(why)}` : '.'}`;
  if (IMAGE_REFUSALS.includes(reason)) return { phase: 'Failed', reason, message: text };
  if (!IMAGE_ATTEMPTS.includes(reason)) return undefined;
  // The kubelet alternates between the two at each retry; to a person that is one state.
  if (previousFailure === 'ImagePullBackOff') return { phase: 'Failed', reason: 'ImagePullBackOff', message: text };
  return { phase: 'Pending', reason, message: text };
};

const configError: Check = (pod) => {
  const { reason = '', message } = container(pod)?.state?.waiting ?? {};
  if (!CONFIG_ERRORS.includes(reason)) return undefined;
  return { phase: 'Failed', reason, message: `The container could not be made: ${sentence(gist(message) || reason)}` };
};

/** Why the process ended last: out of memory, an exit of its own, an error. */
function ending(status: ContainerStatus, memoryLimit: string | undefined): { reason: string; message: string } {
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  if (ended?.reason === 'OOMKilled') {
    const limit = memoryLimit ? ` of ${memoryLimit}` : '';
    return {
      reason: 'OOMKilled',
      message: `The workbench ran out of memory; its limit${limit} is too small for what it does.`,
    };
  }
  if (ended?.exitCode === 0) {
    return {
      reason: 'Exited',
      message: "The workbench's process ended by itself with exit code 0; it must keep running.",
    };
  }
  const words = gist(ended?.message);
  const code = ended ? ` with exit code ${ended.exitCode}` : '';
  return {
    reason: 'CrashLoopBackOff',
    message: `The workbench's process ended${code}${words ? `: ${sentence(words)}` : '.'}`,
  };
}

/** A process that has lasted for so long has left its predecessor's end behind. */
const YOUNG_MS = 30_000;

const ENDINGS = ['OOMKilled', 'Exited', 'CrashLoopBackOff'];

const crashed: Check = (pod, { now, memoryLimit, previousFailure }) => {
  const status = container(pod);
  if (!status) return undefined;
  const { reason, message } = ending(status, memoryLimit);
  if (status.state?.waiting?.reason === 'CrashLoopBackOff') return { phase: 'Failed', reason, message };
  const age = now - Date.parse(status.state?.running?.startedAt ?? '');
  const isYoung = !(age >= YOUNG_MS);
  const isRestarted = status.restartCount > 0 && !status.ready && status.lastState?.terminated && isYoung;
  if (!status.state?.terminated && !isRestarted) return undefined;
  const again = Number.isFinite(age) ? { recheckAfterMs: YOUNG_MS - Math.max(age, 0) } : {};
  // Between two crashes the process runs for a moment. Until it is ready again, that is not progress.
  if (ENDINGS.includes(previousFailure ?? '')) return { phase: 'Failed', reason, message, ...again };
  return { phase: 'Provisioning', reason, message: `${message} It is being restarted.`, ...again };
};

const creating: Check = (pod) => {
  if (container(pod)?.state?.running) return undefined;
  return { phase: 'Pending', reason: 'ContainerCreating', message: 'The node pulls the image and mounts the volumes.' };
};

const notReady: Check = (pod) => {
  if (isReady(pod)) return undefined;
  return {
    phase: 'Provisioning',
    reason: 'NotReady',
    message: 'The workbench has started and does not answer on its port yet.',
  };
};

const CHECKS: readonly Check[] = [
  over,
  withoutVolume,
  unscheduled,
  nodeLost,
  imageProblem,
  configError,
  crashed,
  creating,
  notReady,
];

/** Why this Pod cannot be used yet, or undefined when it is ready. Speaks of a Pod that is not being deleted. */
export function findingOf(pod: Pod, context: PhaseContext): Finding | undefined {
  for (const check of CHECKS) {
    const finding = check(pod, context);
    if (finding) return finding;
  }
  return undefined;
}

const GRACE_MS = 30_000;

/**
 * A Pod that is being deleted and outlives its own deadline: its kubelet does not answer. deletionTimestamp already counts
 * the grace period; some slack more covers a slow kubelet and clocks that disagree.
 */
export function isNodeSilent(pod: Pod, now: number): boolean {
  const deadline = Date.parse(pod.metadata.deletionTimestamp ?? '');
  return Number.isFinite(deadline) && now > deadline + GRACE_MS;
}

export function silentAfterMs(pod: Pod, now: number): number {
  return Math.max(Date.parse(pod.metadata.deletionTimestamp ?? '') + GRACE_MS - now, 0) + 1;
}
