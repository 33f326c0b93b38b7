/** From what was found to the status that is published: stable text, conditions that move only on a flip. */
import { digestOf } from './image.ts';
import { publicEndpoint, runOf } from './identity.ts';
import type { Condition, Pod } from './objects.ts';
import { container, isReady } from './phase.ts';
import { askedImage, requestedBy } from './pod.ts';
import type { Phase, Workbench, WorkbenchStatus } from './resource.ts';
import type { Settings } from './settings.ts';

export interface Verdict {
  phase: Phase;
  /** Why the phase is not the one that was asked for; absent when it is. */
  reason?: string;
  message?: string;
  /** The Pod that serves, or is to serve, this workbench. */
  pod?: Pod;
  /** When its endpoint was last found to lead to it. */
  verifiedAt?: string;
  /** What the running Pod lacks of the author's edits. */
  restartRequired?: { reason: string; message: string };
  /** That the tag of its image stands for another digest by now; undefined: nobody knows yet. */
  newerImage?: { reason: string; message: string } | false;
  /** Why its volume is not as large as it was asked to be. */
  unresized?: { reason: string; message: string };
}

/** The condition that says that the next start would run another image. */
export const NEWER_IMAGE = 'NewerImage';

type Wanted = Pick<Condition, 'type' | 'status'> & { reason: string; message: string };

/** The table of the contract: phase → Ready, Reconciling, Stalled. kstatus reads the result. */
function conditionsFor({ phase, reason = phase, message = '' }: Verdict): Wanted[] {
  const ready = (status: 'True' | 'False'): Wanted => ({ type: 'Ready', status, reason, message });
  switch (phase) {
    case 'Running':
      return [ready('True')];
    case 'Stopped':
      return [];
    case 'Failed':
      return [ready('False'), { type: 'Stalled', status: 'True', reason, message }];
    default:
      return [ready('False'), { type: 'Reconciling', status: 'True', reason, message }];
  }
}

/** As long as the registry has not answered, what it said before stands. */
function newerImage({ newerImage: found, pod }: Verdict, previous: WorkbenchStatus | undefined): Wanted | undefined {
  if (found) return { type: NEWER_IMAGE, status: 'True', ...found };
  if (found === false || pod === undefined || pod.metadata.uid !== previous?.podUID) return undefined;
  const { reason, message } = previous?.conditions?.find(({ type }) => type === NEWER_IMAGE) ?? {};
  return reason === undefined || message === undefined
    ? undefined
    : { type: NEWER_IMAGE, status: 'True', reason, message };
}

function seconds(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
}

function image(
  pod: Pod | undefined,
  wasReady: boolean,
  previous: WorkbenchStatus | undefined,
  run: string,
): WorkbenchStatus['image'] {
  const before = previous?.run === run ? previous.image : undefined;
  if (!pod) return before;
  const requested = requestedBy(pod, before);
  const running = digestOf(container(pod)?.imageID);
  const digest = running ?? digestOf(askedImage(pod)) ?? (before?.requested === requested ? before?.digest : undefined);
  if (!requested) return before;
  if (!digest) return { requested };
  const isProven = wasReady || (before?.requested === requested && before.digest !== undefined && !before.unproven);
  return { requested, digest, ...(isProven ? {} : { unproven: true }) };
}

export function buildStatus(workbench: Workbench, verdict: Verdict, settings: Settings, now: number): WorkbenchStatus {
  const previous = workbench.status;
  const observedGeneration = workbench.metadata.generation ?? 0;
  const wanted = conditionsFor(verdict);
  if (verdict.restartRequired) wanted.push({ type: 'RestartRequired', status: 'True', ...verdict.restartRequired });
  const newer = newerImage(verdict, previous);
  if (newer) wanted.push(newer);
  if (verdict.unresized) wanted.push({ type: 'VolumeResized', status: 'False', ...verdict.unresized });
  const conditions = wanted.map((condition) => {
    const before = previous?.conditions?.find(({ type }) => type === condition.type);
    const flipped = before?.status !== condition.status || !before.lastTransitionTime;
    return {
      ...condition,
      observedGeneration,
      lastTransitionTime: flipped ? seconds(now) : before.lastTransitionTime!,
    };
  });
  const { pod } = verdict;
  const isDown = verdict.phase === 'Stopped' || verdict.phase === 'Stopping';
  // Once stopped, nothing is kept of the run: the next Pod is a start and pulls the newest image, even under the same run.
  const isSamePod = pod !== undefined && previous?.podUID === pod.metadata.uid;
  const readyAt = (isSamePod ? previous?.readyAt : undefined) ?? (pod && isReady(pod) ? seconds(now) : undefined);
  const runs = isDown ? undefined : image(pod, readyAt !== undefined, previous, runOf(workbench));
  return {
    phase: verdict.phase,
    ...(verdict.reason ? { reason: verdict.reason } : {}),
    ...(verdict.message ? { message: verdict.message } : {}),
    conditions,
    observedGeneration,
    publicEndpoint: publicEndpoint(workbench.metadata.name, settings),
    ...(isDown ? {} : { run: runOf(workbench) }),
    ...(pod?.metadata.uid ? { podUID: pod.metadata.uid } : {}),
    ...(runs ? { image: runs } : {}),
    ...(pod?.status?.startTime ? { startedAt: pod.status.startTime } : {}),
    ...(readyAt ? { readyAt } : {}),
    ...(verdict.verifiedAt ? { verifiedAt: verdict.verifiedAt, ...(settings.isGuarded ? { guarded: true } : {}) } : {}),
  };
}
