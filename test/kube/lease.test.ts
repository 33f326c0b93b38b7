import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { KubeError } from '../../src/kube/errors.ts';
import type { Transport } from '../../src/kube/transport.ts';

/** The clock of performance.now(), which nothing but pauses and answers moves. */
let now = 0;
let pauses: number[] = [];
jest.unstable_mockModule('node:timers/promises', () => ({
  setTimeout: (ms: number) => {
    pauses.push(ms);
    now += ms;
    return Promise.resolve();
  },
}));
const { Lease } = await import('../../src/kube/lease.ts');

beforeEach(() => {
  [now, pauses] = [0, []];
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => void jest.restoreAllMocks());

const UNANSWERED = 'unanswered';

/**
 * Takes the Lease, and keeps it as long as its renewals go like this: each takes so many ms, or goes unanswered until its time
 * is over; whatever comes after is unanswered.
 */
async function keep(renewals: (number | typeof UNANSWERED)[]): Promise<number> {
  const held = { metadata: { name: 'leader', resourceVersion: '1' }, spec: { holderIdentity: 'us' } };
  let isTaken = false;
  const call = (async (method: string, _path: string, options?: { timeoutMs?: number }) => {
    if (method === 'GET') return held;
    // The first write is the one that takes it.
    const took = isTaken ? (renewals.shift() ?? UNANSWERED) : 0;
    isTaken = true;
    now += took === UNANSWERED ? options!.timeoutMs! : took;
    if (took === UNANSWERED) throw new KubeError('unreachable', 0, { message: 'no answer' });
    return held;
  }) as Transport['call'];
  const lease = new Lease({
    transport: { call } as Transport,
    namespace: 'default',
    name: 'leader',
    identity: 'us',
    durationMs: 15_000,
    deadlineMs: 10_000,
    retryMs: 2_000,
    onProblem: () => undefined,
  });
  const { signal } = new AbortController();
  await lease.acquire(signal);
  pauses = [];
  await lease.keep(signal);
  return lease.remainingMs();
}

test('a renewal that is answered is followed by the pause, less what it took', async () => {
  await keep([0, 500]);
  expect(pauses.slice(0, 3)).toEqual([2_000, 2_000, 1_500]);
});

test('one that goes unanswered is followed at once: its time was pause enough', async () => {
  await keep([UNANSWERED, 0]);
  expect(pauses.slice(0, 3)).toEqual([2_000, 0, 2_000]);
});

test('when none is answered it ends, after a second one that began within the deadline', async () => {
  expect(await keep([])).toBe(0);
  // Taken at 0: a pause, one of five seconds, and at once another.
  expect(pauses).toEqual([2_000, 0]);
});
