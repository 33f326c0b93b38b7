import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { KubeError, errorFromAnswer } from '../../src/kube/errors.ts';
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
const { Lease, fenced } = await import('../../src/kube/lease.ts');

beforeEach(() => {
  [now, pauses] = [0, []];
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => void jest.restoreAllMocks());

const UNANSWERED = 'unanswered';
const TIMES = { durationMs: 15_000, deadlineMs: 10_000, retryMs: 2_000 };

interface Spec {
  holderIdentity: string;
  leaseDurationSeconds: number;
  leaseTransitions?: number;
}

/** An API server that has this Lease, or none; `befall` may throw instead of answering a request. */
function server(spec: Spec | undefined, befall: (method: string, timeoutMs: number) => void = () => undefined) {
  let version = 1;
  const it = { spec, writes: 0 };
  const answer = () => ({ metadata: { name: 'leader', resourceVersion: String(version) }, spec: it.spec });
  const call = (async (method: string, _path: string, options: { timeoutMs?: number; body?: { spec: Spec } } = {}) => {
    befall(method, options.timeoutMs!);
    if (method === 'GET') {
      if (!it.spec) throw errorFromAnswer(404, {});
      return answer();
    }
    if (method === 'PUT') {
      const sent = options.body as unknown as ReturnType<typeof answer>;
      if (sent.metadata.resourceVersion !== String(version)) throw errorFromAnswer(409, { reason: 'Conflict' });
    }
    it.spec = options.body!.spec;
    it.writes += 1;
    version += 1;
    return answer();
  }) as Transport['call'];
  const problems: unknown[] = [];
  const lease = new Lease({
    transport: { call } as Transport,
    namespace: 'default',
    name: 'leader',
    identity: 'us',
    ...TIMES,
    onProblem: (error) => problems.push(error),
  });
  /** As another replica does it, behind our back. */
  const write = (next: Spec | undefined) => {
    it.spec = next;
    version += 1;
  };
  return { it, lease, problems, write };
}

const OURS: Spec = { holderIdentity: 'us', leaseDurationSeconds: 15 };
const THEIRS: Spec = { holderIdentity: 'them', leaseDurationSeconds: 15, leaseTransitions: 3 };
const { signal } = new AbortController();

/**
 * Takes the Lease, and keeps it as long as its renewals go like this: each takes so many ms, or goes unanswered until its time
 * is over; whatever comes after is unanswered.
 */
async function keep(renewals: (number | typeof UNANSWERED)[]): Promise<number> {
  let isTaken = false;
  const { lease } = server(OURS, (method, timeoutMs) => {
    if (method === 'GET') return;
    // The first write is the one that takes it.
    const took = isTaken ? (renewals.shift() ?? UNANSWERED) : 0;
    isTaken = true;
    now += took === UNANSWERED ? timeoutMs : took;
    if (took === UNANSWERED) throw new KubeError('unreachable', 0, { message: 'no answer' });
  });
  await lease.acquire(signal);
  pauses = [];
  await lease.keep(signal);
  return lease.remainingMs();
}

describe('the lease', () => {
  test.each<[string, Spec | undefined, number]>([
    ['that is not there yet is made, and held', undefined, 0],
    ['of one that gave it back is taken at once', { ...THEIRS, holderIdentity: '', leaseDurationSeconds: 1 }, 0],
    ['of the same replica before its restart is taken at once', OURS, 0],
    ['of another is taken when no renewal was seen for its duration', THEIRS, 15_000],
    ['of another with a longer duration is waited for as long', { ...THEIRS, leaseDurationSeconds: 40 }, 40_000],
  ])('%s', async (_, spec, waitedMs) => {
    const { it, lease } = server(spec);
    await lease.acquire(signal);
    expect(now).toBe(waitedMs);
    expect(it.spec).toMatchObject({ holderIdentity: 'us', leaseDurationSeconds: 15 });
    expect(lease.remainingMs()).toBe(TIMES.deadlineMs);
  });

  test('counts whom it went to', async () => {
    const { it, lease } = server(THEIRS);
    await lease.acquire(signal);
    expect(it.spec!.leaseTransitions).toBe(4);
  });

  test('of another that is renewed is not taken, however long that goes on', async () => {
    const { it, lease, write } = server(THEIRS, () => {
      if (now < 100_000) write({ ...THEIRS });
    });
    await lease.acquire(signal);
    // The last renewal was seen within a look of 100 s.
    expect(now).toBeGreaterThanOrEqual(100_000 + TIMES.durationMs - TIMES.retryMs);
    expect(it.writes).toBe(1);
  });

  test('that another took between the look and the write is left to it', async () => {
    let isTaken = false;
    const { it, lease, problems, write } = server({ ...THEIRS, holderIdentity: '' }, (method) => {
      if (method === 'PUT' && !isTaken) write(THEIRS);
      isTaken ||= method === 'PUT';
    });
    await lease.acquire(signal);
    expect([now >= TIMES.durationMs, it.writes, problems]).toEqual([true, 1, []]);
  });

  test('may be acted on until its deadline, which comes before its duration', async () => {
    const { lease } = server(undefined);
    await lease.acquire(signal);
    now += TIMES.deadlineMs - 1;
    expect(lease.remainingMs()).toBe(1);
    now += 1;
    expect(lease.remainingMs()).toBe(0);
  });

  test('whose deadline counts from when the renewal was sent, not from its answer', async () => {
    const { lease } = server(OURS, (method) => void (method === 'PUT' && (now += 4_000)));
    await lease.acquire(signal);
    expect(lease.remainingMs()).toBe(TIMES.deadlineMs - 4_000);
  });

  test('that another has, whatever the clock says, is lost with the next renewal', async () => {
    const { it, lease, write } = server(OURS);
    await lease.acquire(signal);
    write(THEIRS);
    await lease.keep(signal);
    expect([now, lease.remainingMs(), it.spec]).toEqual([TIMES.retryMs, 0, THEIRS]);
  });

  test('that somebody has deleted is made anew, and held on', async () => {
    const { it, lease, write } = server(OURS, () => void (now > 60_000 && write(THEIRS)));
    await lease.acquire(signal);
    write(undefined);
    await lease.keep(signal);
    expect(now).toBeGreaterThan(60_000);
    expect(it.writes).toBeGreaterThan(10);
  });

  test('is given back so that anybody may take it at once, and not acted on after that', async () => {
    const { it, lease } = server(OURS);
    await lease.acquire(signal);
    expect(await lease.release()).toBe(true);
    expect([it.spec!.holderIdentity, lease.remainingMs()]).toEqual(['', 0]);
  });

  test('that is lost is not given back: it is somebody else’s', async () => {
    const { it, lease, write } = server(OURS);
    await lease.acquire(signal);
    write(THEIRS);
    now += TIMES.deadlineMs;
    expect(await lease.release()).toBe(false);
    expect(it.spec).toEqual(THEIRS);
  });

  test('that another has taken is not given back by whoever does not know it yet', async () => {
    const { it, lease, write } = server(OURS);
    await lease.acquire(signal);
    write(THEIRS);
    expect(await lease.release()).toBe(false);
    expect(it.spec).toEqual(THEIRS);
  });
});

describe('a fenced transport', () => {
  /** One before which the Lease is held for so long, and what went through it; answers come when they are let go. */
  function fence(remainingMs: number) {
    const sent: [method: string, timeoutMs?: number][] = [];
    const answers: PromiseWithResolvers<unknown>[] = [];
    const call = (async (method: string, _path: string, options: { timeoutMs?: number } = {}) => {
      sent.push(options.timeoutMs === undefined ? [method] : [method, options.timeoutMs]);
      const answer = Promise.withResolvers<unknown>();
      answers.push(answer);
      return answer.promise;
    }) as Transport['call'];
    return { sent, answers, acting: fenced({ call } as Transport, { remainingMs: () => remainingMs }) };
  }
  const REFUSED = 'may not act';

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('sends no %s when the lease is not held', async (method) => {
    const { acting, sent } = fence(0);
    await expect(acting.call(method, '/')).rejects.toThrow(REFUSED);
    expect(sent).toEqual([]);
  });

  test('reads whoever acts', () => {
    const { acting, sent } = fence(0);
    void acting.call('GET', '/');
    expect(sent).toEqual([['GET']]);
  });

  test.each([
    ['the lease', 3_000, undefined, 3_000],
    ['the lease, whatever was asked for', 3_000, 5_000, 3_000],
    ['it was asked to', 9_000, 5_000, 5_000],
    ['any other', 60_000, undefined, 15_000],
  ])('waits for an answer to a write no longer than %s', (_, remainingMs, asked, timeoutMs) => {
    const { acting, sent } = fence(remainingMs);
    void acting.call('POST', '/', asked === undefined ? {} : { timeoutMs: asked });
    expect(sent).toEqual([['POST', timeoutMs]]);
  });

  test('that is locked writes nothing more, and is locked when all that was under way has ended', async () => {
    const { acting, sent, answers } = fence(10_000);
    const writes = [acting.call('POST', '/'), acting.call('PATCH', '/')];
    void acting.call('GET', '/');
    let isLocked = false;
    const locked = acting.lock().then(() => (isLocked = true));
    await expect(acting.call('DELETE', '/')).rejects.toThrow(REFUSED);
    answers[0]!.resolve('done');
    await writes[0];
    await new Promise(setImmediate);
    expect(isLocked).toBe(false);
    answers[1]!.reject(new Error('reset'));
    await expect(writes[1]).rejects.toThrow('reset');
    await locked;
    expect(sent.map(([method]) => method)).toEqual(['POST', 'PATCH', 'GET']);
  });
});

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
