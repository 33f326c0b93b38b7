/** One pass over one Workbench: gather, plan, execute, publish. Every decision is in workbench/plan.ts. */
import type { Cluster } from '../kube/cluster.ts';
import { isFailedTest, isKubeError } from '../kube/errors.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import { refusalFrom } from '../kube/refusal.ts';
import type { Refusal } from '../kube/refusal.ts';
import type { Store } from '../kube/store.ts';
import { isOrphaning } from '../workbench/claims.ts';
import { newsOf } from '../workbench/events.ts';
import { isSame } from '../workbench/same.ts';
import { plan } from '../workbench/plan.ts';
import type { Plan, Snapshot } from '../workbench/plan.ts';
import type { Resolution } from '../workbench/pod.ts';
import type { Step } from '../workbench/steps.ts';
import type { Workbench } from '../workbench/resource.ts';
import type { Settings } from '../workbench/settings.ts';
import { buildStatus } from '../workbench/status.ts';
import type { Verdict } from '../workbench/status.ts';
import type { Admission } from './admission.ts';
import type { Hold } from './hold.ts';
import type { Images } from './images.ts';
import type { Launches } from './launches.ts';
import type { Trouble } from './trouble.ts';
import type { Verifier } from './verify.ts';

export interface ReconcileContext {
  store: Pick<Store, 'snapshot'>;
  cluster: Pick<Cluster, 'create' | 'get' | 'patch' | 'delete'>;
  settings: Settings;
  admission: Pick<Admission, 'refusal' | 'volume' | 'granted'>;
  hold: Hold;
  launches: Launches;
  trouble: Trouble;
  verifier: Pick<Verifier, 'reach' | 'ask' | 'forget'>;
  images: Pick<Images, 'resolve' | 'newest' | 'follow' | 'forget'>;
  recorder: Pick<EventRecorder, 'record'>;
  /** Wall clock, ms. */
  now: () => number;
}

/** A pass that could not do all that it planned. The queue backs off, but looks again in time for what is still to be said. */
export class PassError extends Error {
  override name = 'PassError';
  readonly isRefusal: boolean;
  readonly retryAfterMs: number | undefined;
  readonly withinMs: number | undefined;

  constructor({ error, refusal }: Failure, withinMs: number | undefined) {
    super(refusal?.message ?? (error as Error).message, { cause: error });
    this.isRefusal = refusal !== undefined;
    this.retryAfterMs = isKubeError(error) ? error.retryAfterMs : undefined;
    this.withinMs = withinMs;
  }
}

/** @returns when to look again, in ms. @throws PassError or KubeError when the queue should back off */
export async function reconcile(key: string, context: ReconcileContext): Promise<number | undefined> {
  const { admission, hold, images, launches, trouble, verifier } = context;
  const { snapshot, steps, verdict, recheckAfterMs, verify, follow } = await decide(key, context);

  const { workbench } = snapshot;
  if (!workbench || !verdict) {
    hold.forget(key);
    launches.forget(key);
    trouble.end(key);
    verifier.forget(key);
    images.forget(key);
    return undefined;
  }
  if (follow) images.follow(key, follow);
  else images.forget(key);
  if (verify) verifier.ask(key, verify.pod, verify.steadyMs);
  else if (verdict.phase !== 'Running' || workbench.status?.phase === 'Running') verifier.forget(key);

  const began = performance.now();
  const isLaunch = steps.some((step) => step.do === 'create' && step.kind === 'Pod');
  if (isLaunch) launches.begin(key, began);
  const denials: Refusal[] = [];
  const act = () => execute(steps, context, denials);
  const failure = await (isLaunch ? admission.granted(workbench, act) : act());
  if (!failure) {
    trouble.end(key);
    const [denial] = denials;
    const told = denial ? { ...verdict, unresized: { ...denial, reason: 'VolumeCannotGrow' } } : verdict;
    const heldMs = await publish(key, workbench, told, context);
    launches.reach(key, verdict.phase, performance.now());
    return earliest(recheckAfterMs, heldMs);
  }
  const silentMs = SILENT_MS - trouble.lastsMs(key, began, performance.now());
  const outcome = explain(failure, verdict, silentMs);
  const heldMs = outcome && (await publish(key, workbench, outcome, context));
  if (outcome) launches.reach(key, outcome.phase, performance.now());
  throw new PassError(failure, earliest(heldMs, silentMs > 0 ? silentMs : undefined));
}

/** What is seen by now, and what to do about it; a start waits until the registry was asked, and looks again. */
async function decide(key: string, context: ReconcileContext): Promise<Plan & { snapshot: Snapshot }> {
  const { store, settings, admission, images, verifier, now } = context;
  let resolution: Resolution | undefined;
  for (;;) {
    const snapshot = store.snapshot(key);
    const known = {
      reach: verifier.reach(key),
      overLimit: admission.refusal(snapshot),
      resolution,
      newestDigest: images.newest(key),
    };
    const seen = Object.entries(known).filter(([, value]) => value !== undefined);
    const decision = plan(
      { ...snapshot, ...admission.volume(snapshot), ...(Object.fromEntries(seen) as Partial<Snapshot>) },
      settings,
      now(),
    );
    if (!decision.resolve) return { snapshot, ...decision };
    resolution = { image: decision.resolve.image, digest: await images.resolve(decision.resolve) };
  }
}

interface Failure {
  error: unknown;
  step: Step;
  refusal: Refusal | undefined;
}

/**
 * AlreadyExists and a failed precondition mean that the store is behind: the watch will bring what is there, ours or a
 * stranger's, and the queue looks again until it has. After a failure nothing more is made, but what is to go still goes.
 */
async function execute(steps: Step[], { cluster }: ReconcileContext, denials: Refusal[]): Promise<Failure | undefined> {
  let failure: Failure | undefined;
  for (const step of steps) {
    if (failure && step.do === 'create') continue;
    try {
      if ('ifAlive' in step) await confirmAlive(step.ifAlive, step.do, cluster);
      if (step.do === 'create') await cluster.create(step.kind, step.object);
      else if (step.do === 'patch') await cluster.patch(step.kind, step.name, step.uid, step.patch);
      else await cluster.delete(step.kind, step.name, step);
    } catch (error) {
      const refusal = refusalFrom(error, step.kind);
      if (refusal && 'isOptional' in step) denials.push(refusal);
      else failure ??= { error, step, refusal };
    }
  }
  return failure;
}

/** Watches of two kinds are not in step: a deletion may be seen on the child before it is seen on the Workbench. */
async function confirmAlive(
  workbench: Workbench,
  what: 'create' | 'patch',
  cluster: ReconcileContext['cluster'],
): Promise<void> {
  const live = await cluster.get('Workbench', workbench.metadata.name);
  const isGoing = what === 'create' ? live.metadata.deletionTimestamp !== undefined : isOrphaning(live);
  if (live.metadata.uid !== workbench.metadata.uid || isGoing) throw new Error('the workbench is being deleted');
}

/** A retry is silent for a few seconds; after that a person is told what is being retried. */
const SILENT_MS = 5_000;

/** What a failed pass says: the refusal, or the trouble once it lasts; until then at most that things are on their way. */
function explain({ error, step, refusal }: Failure, verdict: Verdict, silentMs: number): Verdict | undefined {
  if (refusal) return { ...verdict, phase: 'Failed', ...refusal };
  const isDone = verdict.phase === 'Running' || verdict.phase === 'Stopped';
  if (silentMs > 0) return isDone ? undefined : verdict;
  const message = `The API server does not ${step.do} the ${step.kind}: ${(error as Error).message.slice(0, 500)}. It is tried again.`;
  const isDown = verdict.phase === 'Stopping' || verdict.phase === 'Stopped';
  return {
    ...verdict,
    phase: isDown ? 'Stopping' : 'Pending',
    reason: 'ClusterTrouble',
    message: message.toWellFormed(),
  };
}

/** One JSON Patch, and none when it would change nothing. @returns what is left of its hold, if it is held back */
async function publish(
  key: string,
  workbench: Workbench,
  verdict: Verdict,
  { cluster, settings, hold, recorder, now }: ReconcileContext,
): Promise<number | undefined> {
  const at = now();
  const status = buildStatus(workbench, verdict, settings, at);
  if (isSame(workbench.status, status)) {
    hold.forget(key);
    return undefined;
  }
  const remaining = hold.remainingMs(key, workbench.status, status, performance.now());
  if (remaining > 0) return remaining;
  try {
    const operations = [{ op: 'add', path: '/status', value: status }] as const;
    await cluster.patch('Workbench', key, workbench.metadata.uid!, [...operations], 'status');
    recorder.record(workbench, newsOf(workbench.status, status, verdict.pod, at));
  } catch (error) {
    // Gone, or another one under the same name (the test of the UID failed): there is nobody left to tell.
    if (!isKubeError(error, 'notFound') && !isFailedTest(error)) throw error;
  }
  return undefined;
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
