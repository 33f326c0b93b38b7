/** A Pod on its way out: what is said of it, and when it is to be looked at again. */
import type { Pod } from './objects.ts';
import { isNodeSilent, silentAfterMs } from './phase.ts';
import type { Settings } from './settings.ts';
import { isLeaving } from './steps.ts';

export function terminatingRechecks(pods: Pod[], { forceDeleteAfterMs }: Settings, now: number): number[] {
  return pods.filter(isLeaving).flatMap((pod) => {
    const force = Date.parse(pod.metadata.deletionTimestamp!) + (forceDeleteAfterMs ?? Infinity) - now;
    return [
      ...(isNodeSilent(pod, now) ? [] : [silentAfterMs(pod, now)]),
      ...(force > 0 && force < Infinity ? [force] : []),
    ];
  });
}

export function nodeLost(pod: Pod): { reason: string; message: string } {
  const node = pod.spec?.nodeName ?? 'unknown';
  return { reason: 'NodeLost', message: `Node ${node} does not confirm that the Pod is gone; it may be down.` };
}

export function leavingReason(pod: Pod, reason: string, now: number): { reason: string; message: string } {
  if (isNodeSilent(pod, now)) return nodeLost(pod);
  const which = reason === 'PodTerminating' ? 'The Pod' : "The earlier start's Pod";
  return { reason, message: `${which} is going away; a new one follows.` };
}
