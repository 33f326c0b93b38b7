/**
 * The whole policy on one page: from what is seen to what is written. Pure: no clock, no environment, no network.
 * Read `plan` first; the functions under it are in the order in which it calls them.
 */
import { refusalOf } from './admit.ts';
import type { Refusal } from './admit.ts';
import { assess } from './assess.ts';
import type { Reach } from './assess.ts';
import { settingsFor } from './class.ts';
import type { WorkbenchClass } from './class.ts';
import { handBack } from './handover.ts';
import { homeOf, mounts, upkeep } from './home.ts';
import type { Seen } from './home.ts';
import { podName } from './identity.ts';
import type { Ingress, Pod, Service } from './objects.ts';
import { adoptions, conflictOf, isOrphaning, isOwn, ownPods } from './claims.ts';
import { leavingReason, nodeLost, terminatingRechecks } from './leaving.ts';
import { isNodeSilent, isOver, isReady } from './phase.ts';
import type { ImageSource } from './image.ts';
import { imageToFollow, imageToResolve, newerImageThan } from './newest.ts';
import { buildPod, isEdited, isOutdated, wasReady } from './pod.ts';
import type { Resolution } from './pod.ts';
import type { Workbench } from './resource.ts';
import type { Settings } from './settings.ts';
import type { Verdict } from './status.ts';
import {
  deletions,
  forcedDeletions,
  isLeaving,
  relabel,
  routeRemoval,
  routeSteps,
  serviceSteps,
  withCare,
} from './steps.ts';
import type { Step } from './steps.ts';

export interface Snapshot extends Seen {
  workbench?: Workbench;
  /** That it names, if there is one. */
  class?: WorkbenchClass;
  /** Pods whose controller or label names this Workbench, and any Pod that bears the name which ours would have. */
  pods: Pod[];
  service?: Service;
  ingress?: Ingress;
  reach?: Reach;
  /** Why its owner may have no more Pods now. */
  overLimit?: Refusal;
  /** What the tag of its image was found to stand for, for this start. */
  resolution?: Resolution;
  /** What it stood for when the registry was last asked. */
  newestDigest?: string;
}

export interface Plan {
  steps: Step[];
  /** What the status shall say; absent when there is no Workbench. */
  verdict?: Verdict;
  /** Time alone will change the answer then. */
  recheckAfterMs?: number;
  /** Ask the endpoint of this Pod, until it answers and has done so for this long. */
  verify?: { pod: Pod; steadyMs: number };
  /** Ask the registry which digest this is, and plan anew with the answer: without it no Pod is made. */
  resolve?: ImageSource;
  /** What runs, as long as a newer one is to be told of. */
  follow?: ImageSource;
}

/** A Pod that ends sooner than this after its making is not replaced before: a failing node must not be fed Pods. */
const SHORTEST_LIFE_MS = 30_000;
const LOOK_AGAIN_MS = 10_000;
/** Somebody waits for a volume that another workbench is about to leave. */
const HANDOVER_MS = 2_000;

export function plan(snapshot: Snapshot, settings: Settings, now: number): Plan {
  const { workbench } = snapshot;
  if (!workbench) return { steps: [] }; // Owner references collect the children.
  return decide(workbench, snapshot, settingsFor(workbench.spec, snapshot.class, settings), now);
}

type Decision = Plan & { verdict: Verdict };

function decide(workbench: Workbench, snapshot: Snapshot, settings: Settings, now: number): Decision {
  const ours = ownPods(workbench, snapshot.pods);
  const decision = decideFor(workbench, snapshot, ours, settings, now);
  return isOrphaning(workbench)
    ? decision
    : { ...decision, steps: [...adoptions(workbench, snapshot), ...handBack(workbench, snapshot), ...decision.steps] };
}

function decideFor(workbench: Workbench, snapshot: Snapshot, ours: Pod[], settings: Settings, now: number): Decision {
  const down = (message: string) => {
    const left = leave(ours, settings, now, message);
    return {
      ...left,
      steps: [...routeRemoval(workbench, snapshot.ingress, settings), ...deletions(ours), ...left.steps],
    };
  };
  if (workbench.metadata.deletionTimestamp) {
    const message = 'The workbench is being deleted.';
    return isCollected(workbench) ? leave(ours, settings, now, message) : down(message);
  }
  if (workbench.spec.state !== 'Stopped') {
    const decision = run(workbench, snapshot, ours, settings, now);
    return { ...decision, steps: withCare(workbench, decision.steps) };
  }
  if (ours.length > 0) return down('The Pod is going away.');
  // An Ingress controller's finalizer may hold the path for a while, and a stopped workbench has none.
  const kept = upkeep(workbench, snapshot, settings);
  const hasPath = isOwn('Ingress', snapshot.ingress, workbench) && !settings.routeKeep;
  const decision = down('The path is going away.');
  const steps = [...decision.steps, ...kept];
  return hasPath ? { ...decision, steps } : { ...decision, steps, verdict: { phase: 'Stopped' } };
}

/** A foreground deletion is the garbage collector's; under somebody else's finalizer nobody would end the Pod. */
function isCollected(workbench: Workbench): boolean {
  return isOrphaning(workbench) || workbench.metadata.finalizers?.includes('foregroundDeletion') === true;
}

/** On its way down. While a Workbench is deleted the garbage collector removes the children; only a lost Pod needs help. */
function leave(pods: Pod[], settings: Settings, now: number, message: string): Decision {
  const lost = pods.find((pod) => isNodeSilent(pod, now));
  const verdict: Verdict = lost
    ? { phase: 'Stopping', ...nodeLost(lost) }
    : { phase: 'Stopping', reason: 'Stopping', message };
  return { steps: forcedDeletions(pods, settings, now), verdict, ...recheck(terminatingRechecks(pods, settings, now)) };
}

function run(workbench: Workbench, snapshot: Snapshot, ours: Pod[], settings: Settings, now: number): Decision {
  // What runs is never taken away for others.
  const overLimit = ours.length === 0 ? snapshot.overLimit : undefined;
  const refused = refusalOf(workbench.spec, snapshot.class, settings) ?? overLimit;
  const home = homeOf(workbench, snapshot, settings);
  // Whoever runs has its volume.
  const obstacle = ours.length === 0 ? home?.obstacle : undefined;
  const refusal = refused ? { phase: 'Failed' as const, ...refused } : obstacle;
  const current = ours.find((pod) => pod.metadata.name === podName(workbench));
  const conflict = conflictOf(workbench, snapshot);
  if (conflict) {
    const { verifiedAt } = workbench.status ?? {};
    const known = { ...(current ? { pod: current } : {}), ...(verifiedAt ? { verifiedAt } : {}) };
    return { steps: [], verdict: { ...conflict, ...known }, recheckAfterMs: LOOK_AGAIN_MS };
  }
  const others = ours.filter((pod) => pod !== current);
  // A class whose admin has mended it must not keep a Pod that nobody has worked in from being made anew.
  const isStale = (pod: Pod) =>
    workbench.spec.class === undefined
      ? isEdited(pod, workbench)
      : isOutdated(pod, workbench, snapshot.class, settings);
  const { claim, reach } = snapshot;
  const volume = current && claim && mounts(current, claim.metadata.name) ? { claim } : {};
  const assessment = current && assess(workbench, current, { ...(reach ? { reach } : {}), ...volume }, settings, now);
  const newerImage = current && newerImageThan(current, workbench, snapshot.newestDigest, settings);
  // What fails may have been mended by a push; what is on its way up is left alone, however often somebody pushes.
  const isMended = assessment?.verdict.phase === 'Failed' && Boolean(newerImage);
  const isUnwanted = current !== undefined && (isStale(current) || isMended) && !wasReady(workbench, current);
  const isReplaced = current !== undefined && isOver(current) && age(current, now) >= SHORTEST_LIFE_MS;

  const steps: Step[] = [];
  steps.push(...deletions([...others, ...(current && (isUnwanted || isReplaced) ? [current] : [])]));
  steps.push(...forcedDeletions(ours, settings, now));
  const isMissing = !refusal && ours.length === 0;
  const resolve = isMissing ? imageToResolve(workbench, settings, snapshot.resolution) : undefined;
  if (isMissing && !resolve) {
    const object = buildPod(workbench, settings, { ...snapshot, claim: home?.name });
    steps.push(...(home?.steps ?? []), { do: 'create', kind: 'Pod', object });
  }
  const ownHome = current && home && mounts(current, home.name) ? home : undefined;
  steps.push(...(ownHome?.steps ?? []));
  if (current) steps.push(...relabel(workbench, current));
  if (!refusal || current) steps.push(...serviceSteps(workbench, snapshot.service, settings));

  const serving = current && !isLeaving(current) && !isOver(current) && !isUnwanted ? current : undefined;
  // A short absence keeps its route; one that only a person or the kubelet's backoff ends shows the page with the reason.
  const isDown = serving && assessment?.verdict.phase === 'Failed' && !isReady(serving);
  if (!serving || isDown) steps.push(...routeRemoval(workbench, snapshot.ingress, settings));
  else if (isReady(serving) || snapshot.ingress)
    steps.push(...routeSteps(workbench, serving, snapshot.ingress, settings));

  const rechecks = terminatingRechecks(ours, settings, now);
  // The others make room without a word to this one.
  if (refused && refused === overLimit) rechecks.push(LOOK_AGAIN_MS);
  if (!refused && obstacle) rechecks.push(obstacle.reason === 'VolumeInUse' ? HANDOVER_MS : LOOK_AGAIN_MS);
  const without = (verdict: Verdict): Decision => ({
    steps,
    verdict,
    ...recheck(rechecks),
    ...(resolve ? { resolve } : {}),
  });

  if (others.length > 0)
    return without({ phase: 'Pending', ...leavingReason(others[0]!, 'PredecessorTerminating', now) });
  if (!current || !assessment)
    return without(refusal ?? { phase: 'Starting', reason: 'Creating', message: 'The Pod is being made.' });
  if (isLeaving(current)) return without({ phase: 'Pending', ...leavingReason(current, 'PodTerminating', now) });
  if (isUnwanted)
    return without(
      refusal ?? {
        phase: 'Starting',
        reason: 'Replacing',
        message: isStale(current) ? 'The Pod is made anew after an edit.' : 'The Pod is made anew with a newer image.',
      },
    );
  const failsAtOnce = isOver(current) && !isReplaced;
  if (failsAtOnce) rechecks.push(SHORTEST_LIFE_MS - age(current, now));

  if (assessment.recheckAfterMs !== undefined) rechecks.push(assessment.recheckAfterMs);
  const restartRequired = isOutdated(current, workbench, snapshot.class, settings)
    ? { restartRequired: restartReason(refusal) }
    : {};
  const unresized = ownHome?.unresized ? { unresized: ownHome.unresized } : {};
  const follow = imageToFollow(current, workbench, settings);
  return {
    steps,
    verdict: {
      ...assessment.verdict,
      ...(failsAtOnce ? { phase: 'Failed' } : {}),
      pod: current,
      ...restartRequired,
      ...unresized,
      ...(newerImage === undefined ? {} : { newerImage }),
    },
    ...(follow ? { follow } : {}),
    ...recheck(rechecks),
    ...(assessment.verify ? { verify: assessment.verify } : {}),
  };
}

/** A clock that is behind makes a Pod new, an unreadable time makes it old: neither keeps it for longer than its due. */
function age(pod: Pod, now: number): number {
  const ms = now - Date.parse(pod.metadata.creationTimestamp ?? '');
  return Number.isFinite(ms) ? Math.max(ms, 0) : Infinity;
}

function recheck(times: number[]): { recheckAfterMs?: number } {
  return times.length > 0 ? { recheckAfterMs: Math.min(...times) } : {};
}

function restartReason(refusal: { reason: string; message: string } | undefined): { reason: string; message: string } {
  if (refusal)
    return { reason: refusal.reason, message: `${refusal.message} The running Pod keeps what it was made with.` };
  return { reason: 'Edited', message: 'A change takes effect at the next start.' };
}
