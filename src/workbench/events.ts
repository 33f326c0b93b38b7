/**
 * What of a status that is published is news, as the Events that `kubectl describe` shows. Status before, status after: so a
 * controller that is restarted, or begins to act, has nothing to tell; and a launch without a phase worth publishing is one
 * Event that holds all of it.
 */
import { digestOf } from './image.ts';
import type { Pod } from './objects.ts';
import { container } from './phase.ts';
import type { WorkbenchStatus } from './resource.ts';

/** Every Event that there is, in the order in which a workbench meets them; the README says what each tells. */
export const EVENTS = {
  Scheduled: 'Normal',
  Pulled: 'Normal',
  Running: 'Normal',
  Interrupted: 'Warning',
  Failed: 'Warning',
  Recovered: 'Normal',
  Stopped: 'Normal',
} as const;

export interface News {
  type: 'Normal' | 'Warning';
  reason: keyof typeof EVENTS;
  /** At most 1,024 bytes. */
  note: string;
}

/** @param pod the one that the status after speaks of */
export function newsOf(
  before: WorkbenchStatus | undefined,
  after: WorkbenchStatus,
  pod: Pod | undefined,
  now: number,
): News[] {
  const isNew = before?.phase !== after.phase;
  const why = [after.reason, after.message].filter(Boolean).join(': ');
  const onTheWay = progress(before, after, pod);
  switch (after.phase) {
    case 'Running':
      return pod && (isNew || !saidOf(before, after)) ? running(before, after, pod, now) : onTheWay;
    case 'Failed':
      return isNew || before?.reason !== after.reason ? [...onTheWay, tell('Failed', why)] : onTheWay;
    case 'Stopped':
      return isNew && before?.phase ? [tell('Stopped', 'Stopped; its Pod is gone.')] : [];
    case 'Stopping':
      return [];
    default:
      if (before?.phase === 'Running' && before.run === after.run) return [tell('Interrupted', why), ...onTheWay];
      // What kept the Pod from being made is over once there is one, however long it then takes until it runs.
      return before?.phase === 'Failed' && !before.podUID && after.podUID
        ? [tell('Recovered', `${before.reason} is over; its Pod is made.`), ...onTheWay]
        : onTheWay;
  }
}

/** What the status before says, if it speaks of the same Pod. */
function saidOf(before: WorkbenchStatus | undefined, after: WorkbenchStatus): WorkbenchStatus | undefined {
  return after.podUID !== undefined && before?.podUID === after.podUID ? before : undefined;
}

/** On the way up, as far as it is new. startTime is the kubelet's word that it has taken the Pod. */
function progress(before: WorkbenchStatus | undefined, after: WorkbenchStatus, pod: Pod | undefined): News[] {
  const said = saidOf(before, after);
  const digest = digestOf(pod && container(pod)?.imageID);
  const news: News[] = [];
  if (after.startedAt && !said?.startedAt) news.push(tell('Scheduled', `Scheduled on node ${nodeOf(pod)}.`));
  if (digest && said?.image?.digest !== digest) news.push(tell('Pulled', `Pulled ${imageOf(after)}.`));
  return news;
}

function running(before: WorkbenchStatus | undefined, after: WorkbenchStatus, pod: Pod, now: number): News[] {
  const said = saidOf(before, after);
  const wasRunning = said?.verifiedAt ?? (said?.reason === 'EndpointPending' ? undefined : said?.readyAt);
  const isBack = before?.run === after.run && (before?.phase === 'Failed' || wasRunning !== undefined);
  const reason = isBack ? 'Recovered' : 'Running';
  const over = isBack ? `; ${before?.reason} is over` : '';
  // Without a time in it: when it comes again it is the same Event.
  if (isBack && said) return [...progress(before, after, pod), tell(reason, `Running${over}.`)];
  const age = Math.max(Math.round((now - Date.parse(pod.metadata.creationTimestamp ?? '')) / 1000), 0) || 0;
  return [tell(reason, `Running after ${age} s on node ${nodeOf(pod)} with ${imageOf(after)}${over}.`)];
}

function nodeOf(pod: Pod | undefined): string {
  return pod?.spec?.nodeName ?? 'unknown';
}

function imageOf({ image }: WorkbenchStatus): string {
  return `${image?.requested ?? 'its image'}${image?.digest ? ` (${image.digest})` : ''}`;
}

function tell(reason: News['reason'], note: string): News {
  return { type: EVENTS[reason], reason, note: bounded(note) };
}

/** The API server refuses a note of more bytes. */
const LONGEST_NOTE = 1_024;

function bounded(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= LONGEST_NOTE) return text;
  const kept = bytes.subarray(0, LONGEST_NOTE - 3);
  // Half a character at the cut becomes a replacement character.
  return `${new TextDecoder().decode(kept).replace(/\uFFFD$/, '')}…`;
}
