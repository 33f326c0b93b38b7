/** Whether one Pod can be worked in: what it says of itself and, once it says "ready", what its public URL says. */
import { publicEndpoint } from './identity.ts';
import type { Claim, Pod } from './objects.ts';
import { container, findingOf } from './phase.ts';
import { sizes } from './pod.ts';
import type { Workbench } from './resource.ts';
import type { Settings } from './settings.ts';
import type { Verdict } from './status.ts';

/** What the endpoint check has found out about one Pod so far. */
export type Reach = { podUID: string } & ({ ok: true } | { ok: false; problem: string; reason?: 'Unguarded' });

export interface Assessment {
  verdict: Verdict;
  /** Time alone will change the answer then. */
  recheckAfterMs?: number;
  /** Ask the endpoint of this Pod, until it answers and has done so for this long. */
  verify?: { pod: Pod; steadyMs: number };
}

/**
 * What was away for a moment may answer by a route that its Ingress controller is about to withdraw and to give back. Longer
 * than Traefik's default of two seconds between two looks at the cluster.
 */
const STEADY_MS = 3_000;

export function assess(
  workbench: Workbench,
  pod: Pod,
  { reach, claim }: { reach?: Reach; claim?: Claim },
  settings: Settings,
  now: number,
): Assessment {
  const { status } = workbench;
  const isSamePod = status?.podUID === pod.metadata.uid;
  // Of this address: an admin may have moved BASE_URL meanwhile.
  const isSameAddress = status?.publicEndpoint === publicEndpoint(workbench.metadata.name, settings);
  // And under this guard: what was found before there was one says nothing of who is kept out.
  const isSameGuard = (status?.guarded ?? false) === (settings.isGuarded ?? false);
  const verifiedAt = isSamePod && isSameAddress && isSameGuard ? status?.verifiedAt : undefined;
  const verified = verifiedAt ? { verifiedAt } : {};
  const memoryLimit = sizes(workbench, settings).memory;
  const finding = findingOf(pod, {
    now,
    unschedulableAfterMs: settings.unschedulableAfterMs,
    ...(memoryLimit ? { memoryLimit } : {}),
    ...(claim ? { claim } : {}),
    ...(isSamePod && status?.phase === 'Failed' && status.reason ? { previousFailure: status.reason } : {}),
  });
  if (finding) {
    const { recheckAfterMs, ...found } = finding;
    return { verdict: { ...found, ...verified }, ...(recheckAfterMs === undefined ? {} : { recheckAfterMs }) };
  }
  // Asked once for each spell of readiness; the status says in which spell it is.
  const isKnown = verifiedAt !== undefined && status?.phase === 'Running';
  if (settings.verify === 'off' || isKnown) return { verdict: { phase: 'Running', ...verified } };
  const answer = reach?.podUID === pod.metadata.uid ? reach : undefined;
  if (answer?.ok) return { verdict: { phase: 'Running', verifiedAt: new Date(now).toISOString() } };
  const wasHere = verifiedAt !== undefined || (container(pod)?.restartCount ?? 0) > 0;
  const verify = { pod, steadyMs: wasHere ? STEADY_MS : 0 };
  if (answer) {
    const reason = answer.reason ?? 'EndpointUnreachable';
    const verdict: Verdict = { phase: 'Failed', reason, message: answer.problem, ...verified };
    return { verdict, verify };
  }
  const message = 'The workbench is ready; its public address does not lead to it yet.';
  return { verdict: { phase: 'Provisioning', reason: 'EndpointPending', message, ...verified }, verify };
}
