import { describe, expect, test } from '@jest/globals';
import { newsOf } from '../../src/workbench/events.ts';
import type { Pod } from '../../src/workbench/objects.ts';
import type { WorkbenchStatus } from '../../src/workbench/resource.ts';
import { buildStatus } from '../../src/workbench/status.ts';
import type { Verdict } from '../../src/workbench/status.ts';
import { DIGEST, NOW, containerRunning, podOf, readyPod, secondsAgo, settings, workbench } from './sample.ts';

const NEWER = `sha256:${'b'.repeat(64)}`;
const IMAGE = `registry.example/lab:latest (${DIGEST})`;

const pulling = podOf(workbench(), {}, 3);
const started = podOf(workbench(), { containerStatuses: [{ ...containerRunning, ready: false }] }, 3);
const ready: Pod = { ...readyPod(workbench()), metadata: pulling.metadata };
const restarted: Pod = {
  ...ready,
  status: {
    ...ready.status,
    containerStatuses: [{ ...containerRunning, imageID: `registry.example/lab@${NEWER}` }],
  },
};
const replacement: Pod = { ...ready, metadata: { ...ready.metadata, uid: 'pod-2' } };

const verdicts = {
  running: { phase: 'Running', pod: ready, verifiedAt: secondsAgo(0) },
  pulling: { phase: 'Pending', reason: 'ContainerCreating', message: 'It pulls.', pod: pulling },
  started: { phase: 'Provisioning', reason: 'NotReady', message: 'It boots.', pod: started },
  unreached: { phase: 'Provisioning', reason: 'EndpointPending', message: 'Not yet.', pod: ready },
  flapping: { phase: 'Provisioning', reason: 'NotReady', message: 'It hangs.', pod: ready, verifiedAt: secondsAgo(9) },
  crashed: { phase: 'Failed', reason: 'OOMKilled', message: 'Too little memory.', pod: ready },
  crashing: { phase: 'Failed', reason: 'CrashLoopBackOff', message: 'It ended.', pod: ready },
  refused: { phase: 'Failed', reason: 'QuotaExceeded', message: 'No quota left.' },
  creating: { phase: 'Starting', reason: 'Creating', message: 'The Pod is being made.' },
  stopping: { phase: 'Stopping', reason: 'Stopping', message: 'The Pod is going away.' },
  stopped: { phase: 'Stopped' },
  replaced: { phase: 'Running', pod: replacement, verifiedAt: secondsAgo(0) },
  upgraded: { phase: 'Running', pod: restarted, verifiedAt: secondsAgo(9) },
} satisfies Record<string, Verdict>;
type Moment = keyof typeof verdicts;

const statusAt = (moment: Moment, run = '', previous?: WorkbenchStatus) =>
  buildStatus(workbench({ run }, previous), verdicts[moment], settings, NOW);

/** What is told when a workbench goes from one moment to another, each "Reason: note". */
function told(from: Moment | undefined, to: Moment, runs = ['', '']): string[] {
  const before = from && statusAt(from, runs[0]);
  const after = statusAt(to, runs[1], before);
  const { pod } = verdicts[to] as Verdict;
  return newsOf(before, after, pod, NOW).map(({ reason, note }) => `${reason}: ${note}`);
}

type Row = [what: string, from: Moment | undefined, to: Moment, news: string[], runs?: string[]];

describe('what is told of', () => {
  test.each<Row>([
    ['a quick launch', undefined, 'running', [`Running: Running after 3 s on node node-1 with ${IMAGE}.`]],
    ['a node', undefined, 'pulling', ['Scheduled: Scheduled on node node-1.']],
    ['a slow pull that is done', 'pulling', 'started', [`Pulled: Pulled ${IMAGE}.`]],
    ['a slow boot', undefined, 'started', ['Scheduled: Scheduled on node node-1.', `Pulled: Pulled ${IMAGE}.`]],
    ['the end of a slow launch', 'started', 'running', [`Running: Running after 3 s on node node-1 with ${IMAGE}.`]],
    ['a slow address', 'unreached', 'running', [`Running: Running after 3 s on node node-1 with ${IMAGE}.`]],
    ['a new workbench without room', undefined, 'refused', ['Failed: QuotaExceeded: No quota left.']],
    [
      'room again',
      'refused',
      'running',
      [`Recovered: Running after 3 s on node node-1 with ${IMAGE}; QuotaExceeded is over.`],
    ],
    [
      'room again, and a slow launch',
      'refused',
      'pulling',
      ['Recovered: QuotaExceeded is over; its Pod is made.', 'Scheduled: Scheduled on node node-1.'],
    ],
    ['room that there may not be', 'refused', 'creating', []],
    ['a Pod that tries again', 'crashing', 'started', []],
    ['a failure while it runs', 'running', 'crashed', ['Failed: OOMKilled: Too little memory.']],
    ['another failure', 'crashed', 'crashing', ['Failed: CrashLoopBackOff: It ended.']],
    ['the end of a failure', 'crashing', 'running', ['Recovered: Running; CrashLoopBackOff is over.']],
    [
      'a fresh start after a failure',
      'crashed',
      'replaced',
      [`Running: Running after 3 s on node node-1 with ${IMAGE}.`],
      ['1', '2'],
    ],
    ['readiness that is lost', 'running', 'flapping', ['Interrupted: NotReady: It hangs.']],
    ['readiness that is back', 'flapping', 'running', ['Recovered: Running; NotReady is over.']],
    ['a Pod that was deleted', 'running', 'creating', ['Interrupted: Creating: The Pod is being made.']],
    [
      'a newer image in the same Pod',
      'running',
      'upgraded',
      [`Pulled: Pulled registry.example/lab:latest (${NEWER}).`],
    ],
    ['another Pod', 'running', 'replaced', [`Running: Running after 3 s on node node-1 with ${IMAGE}.`]],
    ['a stop', 'stopping', 'stopped', ['Stopped: Stopped; its Pod is gone.']],
    ['a quick stop', 'running', 'stopped', ['Stopped: Stopped; its Pod is gone.']],
    ['a start after a stop', 'stopped', 'running', [`Running: Running after 3 s on node node-1 with ${IMAGE}.`]],
    ['a restart that was asked for', 'running', 'creating', [], ['1', '2']],
    ['a stop that has begun', 'running', 'stopping', []],
    ['a workbench that was made stopped', undefined, 'stopped', []],
    ['the same again', 'running', 'running', []],
    ['the same failure again', 'crashed', 'crashed', []],
    ['a Pod that is made', undefined, 'creating', []],
  ])('%s', (_, from, to, news, ...runs) => expect(told(from, to, ...runs)).toEqual(news));
});

test('a failure and an interruption are warnings, and nothing else is', () => {
  const of = (from: Moment | undefined, to: Moment) =>
    newsOf(from && statusAt(from), statusAt(to), (verdicts[to] as Verdict).pod, NOW).map(({ type }) => type);
  expect([of(undefined, 'refused'), of('running', 'flapping')]).toEqual([['Warning'], ['Warning']]);
  expect([
    of(undefined, 'running'),
    of(undefined, 'started'),
    of('flapping', 'running'),
    of('running', 'stopped'),
  ]).toEqual([['Normal'], ['Normal', 'Normal'], ['Normal'], ['Normal']]);
});

test('a note has no more bytes than the API server takes, and no half characters', () => {
  const failed = (message: string) =>
    newsOf(undefined, { phase: 'Failed', reason: 'Refused', message }, undefined, NOW);
  const longest = 'x'.repeat(1_024 - 'Refused: '.length);
  expect(failed(longest)[0]!.note).toBe(`Refused: ${longest}`);
  for (const filling of ['é', 'é!', '界', '𝄞', 'x𝄞']) {
    const { note } = failed(filling.repeat(1_000))[0]!;
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
    expect(Buffer.byteLength(note)).toBeGreaterThan(1_015);
    expect(note).toMatch(/^Refused: [^\uFFFD]*…$/u);
  }
});
