import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Queue } from '../../src/controller/queue.ts';
import type { QueueOptions } from '../../src/controller/queue.ts';

beforeEach(() => {
  jest.useFakeTimers();
  // The middle of the jitter: pauses are what their names say.
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

/** A queue whose work ends when the test says so, and the keys in the order in which they were begun. */
function workshop(options?: QueueOptions) {
  const begun: string[] = [];
  const open = new Map<string, PromiseWithResolvers<number | undefined>>();
  const queue = new Queue((key) => {
    begun.push(key);
    const work = Promise.withResolvers<number | undefined>();
    open.set(key, work);
    return work.promise;
  }, options);
  const settled = () => jest.advanceTimersByTimeAsync(0);
  return {
    queue,
    begun,
    succeed: async (key: string, lookAgainMs?: number) => {
      open.get(key)!.resolve(lookAgainMs);
      await settled();
    },
    fail: async (key: string, error = new Error('no')) => {
      open.get(key)!.reject(error);
      await settled();
    },
  };
}

/** A queue whose work always ends at once, as `outcome` says. */
function quick(outcome: () => Promise<number | undefined>, options?: QueueOptions) {
  const at: number[] = [];
  const start = performance.now();
  const queue = new Queue(() => {
    at.push(Math.round(performance.now() - start));
    return outcome();
  }, options);
  queue.start([]);
  return { queue, at };
}

describe('a key', () => {
  test('that came three times before anybody looked is handed out once', async () => {
    const { queue, begun, succeed } = workshop({ concurrency: 1 });
    queue.start(['another', 'a', 'b', 'a', 'a']);
    for (const key of ['another', 'a', 'b']) await succeed(key);
    expect(begun).toEqual(['another', 'a', 'b']);
  });

  test('is never worked on twice at once; if it came meanwhile, it is looked at once more', async () => {
    const { queue, begun, succeed } = workshop();
    queue.start([]);
    for (let times = 0; times < 3; times++) queue.add('a');
    expect(begun).toEqual(['a']);
    await succeed('a');
    expect(begun).toEqual(['a', 'a']);
    await succeed('a');
    expect(begun).toEqual(['a', 'a']);
  });

  test('that came while its work failed is looked at once more at once', async () => {
    const { queue, begun, fail } = workshop();
    queue.start([]);
    queue.add('a');
    queue.add('a');
    await fail('a');
    expect(begun).toEqual(['a', 'a']);
  });

  test('waits while all hands are full, and does not wait for one that hangs', async () => {
    const { queue, begun, succeed } = workshop({ concurrency: 2 });
    queue.start([]);
    for (const key of ['hangs', 'b', 'c', 'd']) queue.add(key);
    expect(begun).toEqual(['hangs', 'b']);
    await succeed('b');
    await succeed('c');
    expect(begun).toEqual(['hangs', 'b', 'c', 'd']);
  });
});

describe('a start', () => {
  test('looks at everything: what came meanwhile, and what waited for a time or a retry, is not remembered', async () => {
    const { queue, begun, fail, succeed } = workshop();
    queue.add('before');
    queue.start(['a', 'b']);
    await fail('a');
    queue.addAfter('later', 100);
    queue.pause();
    await succeed('b', 100);
    queue.add('meanwhile');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(begun).toEqual(['a', 'b']);
    queue.start(['a', 'b', 'c']);
    expect(begun).toEqual(['a', 'b', 'a', 'b', 'c']);
  });

  test('looks at the settled behind whatever changes meanwhile, and at what changes only once', async () => {
    const { queue, begun, succeed } = workshop({ concurrency: 1 });
    queue.start(['waits'], ['r1', 'r2', 'r3']);
    queue.add('changes');
    queue.add('r2');
    for (const key of ['waits', 'changes', 'r2', 'r1', 'r3']) await succeed(key);
    expect(begun).toEqual(['waits', 'changes', 'r2', 'r1', 'r3']);
  });

  test('comes to the settled however much changes: one in four is of them', async () => {
    const { queue, begun, succeed } = workshop({ concurrency: 1 });
    const changes = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    queue.start(changes, ['r1', 'r2']);
    for (const key of ['a', 'b', 'c', 'r1', 'd', 'e', 'f', 'r2', 'g']) await succeed(key);
    expect(begun).toEqual(['a', 'b', 'c', 'r1', 'd', 'e', 'f', 'r2', 'g']);
  });

  test('looks once more at one of the settled on which work is still under way', async () => {
    const { queue, begun, succeed } = workshop();
    queue.start(['a']);
    queue.pause();
    queue.start([], ['a']);
    expect(begun).toEqual(['a']);
    await succeed('a');
    expect(begun).toEqual(['a', 'a']);
  });

  test('has the settled in its backlog', async () => {
    const { queue } = workshop({ concurrency: 1 });
    queue.start(['a'], ['r1', 'r2']);
    await jest.advanceTimersByTimeAsync(500);
    queue.add('b');
    expect(queue.backlog()).toEqual({ depth: 3, oldestMs: 500 });
    queue.pause();
    expect(queue.backlog()).toEqual({ depth: 0, oldestMs: 0 });
  });

  test('after the end begins nothing', async () => {
    const { queue, begun } = workshop();
    await queue.stop();
    queue.start(['a']);
    expect(begun).toEqual([]);
  });

  test('with thousands of keys that have nothing to do keeps the event loop from nothing else', async () => {
    jest.useRealTimers();
    const busy = (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end;);
    };
    let passes = 0;
    const queue = new Queue(() => Promise.resolve(void (busy(1), (passes += 1))));
    queue.start(Array.from({ length: 200 }, (_, index) => `key-${index}`));
    await new Promise((resolve) => setImmediate(resolve));
    expect(passes).toBeLessThan(150);
    while (passes < 200) await new Promise((resolve) => setImmediate(resolve));
    await queue.stop();
  });
});

describe('after a failure', () => {
  test('the pause doubles up to the longest', async () => {
    const { queue, at } = quick(() => Promise.reject(new Error('no')), { shortestMs: 200, longestMs: 1_000 });
    queue.add('a');
    await jest.advanceTimersByTimeAsync(4_000);
    expect(at).toEqual([0, 200, 600, 1_400, 2_400, 3_400]);
  });

  test('the jitter is a fifth at most, either way', async () => {
    jest.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(1);
    const { queue, at } = quick(() => Promise.reject(new Error('no')));
    queue.add('a');
    await jest.advanceTimersByTimeAsync(700);
    expect(at).toEqual([0, 160, 640]);
  });

  test('a success ends the backoff: the next failure begins anew', async () => {
    const outcomes = ['no', 'no', 'yes', 'no', 'yes'];
    const { queue, at } = quick(() =>
      outcomes.shift() === 'no' ? Promise.reject(new Error('no')) : Promise.resolve(undefined),
    );
    queue.add('a');
    await jest.advanceTimersByTimeAsync(1_000);
    queue.add('a');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(at).toEqual([0, 200, 600, 1_000, 1_200]);
  });

  test('the time that the API server asks for is respected, and a shorter one does not shorten the pause', async () => {
    const asked = [5_000, 10];
    const { queue, at } = quick(() =>
      Promise.reject(Object.assign(new Error('busy'), { retryAfterMs: asked.shift() })),
    );
    queue.add('a');
    await jest.advanceTimersByTimeAsync(5_400);
    expect(at).toEqual([0, 5_000, 5_400]);
  });

  test('of one key, the others are not kept waiting', async () => {
    const { queue, begun, fail } = workshop();
    queue.start([]);
    queue.add('a');
    await fail('a');
    queue.add('b');
    expect(begun).toEqual(['a', 'b']);
  });
});

describe('a look at a later time', () => {
  test('comes then, and not before', async () => {
    const { queue, at } = quick(() => Promise.resolve(undefined));
    queue.addAfter('a', 300);
    await jest.advanceTimersByTimeAsync(299);
    expect(at).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(at).toEqual([300]);
  });

  test.each([
    ['the earlier wish first', [100, 500]],
    ['the later wish first', [500, 100]],
  ])('comes once, at the earliest of several wishes: %s', async (_order, delays) => {
    const { queue, at } = quick(() => Promise.resolve(undefined));
    for (const delay of delays) queue.addAfter('a', delay);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(at).toEqual([100]);
  });

  test('is what a pass may ask for', async () => {
    const { queue, at } = quick(() => Promise.resolve(1_000));
    queue.add('a');
    await jest.advanceTimersByTimeAsync(2_500);
    expect(at).toEqual([0, 1_000, 2_000]);
  });

  test('that is months away does not come at once', async () => {
    const { queue, at } = quick(() => Promise.resolve(undefined));
    queue.addAfter('a', 1e12);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(at).toEqual([]);
  });
});

describe('the end', () => {
  test('waits for what is under way, and begins nothing more', async () => {
    const { queue, begun, succeed } = workshop({ concurrency: 1 });
    queue.start([]);
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    let isStopped = false;
    void queue.stop().then(() => (isStopped = true));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(isStopped).toBe(false);
    // Not even to look again later: a timer would keep the process alive.
    await succeed('a', 60_000);
    expect(isStopped).toBe(true);
    expect(begun).toEqual(['a']);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('the backlog', () => {
  test('is what waits for its turn, and for how long the first has; a key that comes again keeps its place', async () => {
    const { queue, succeed } = workshop({ concurrency: 1 });
    queue.start([]);
    queue.add('a');
    queue.add('b');
    jest.advanceTimersByTime(100);
    queue.add('c');
    jest.advanceTimersByTime(100);
    queue.add('b');
    expect(queue.backlog()).toEqual({ depth: 2, oldestMs: 200 });
    await succeed('a');
    expect(queue.backlog()).toEqual({ depth: 1, oldestMs: 100 });
    await succeed('b');
    expect(queue.backlog()).toEqual({ depth: 0, oldestMs: 0 });
  });

  test('is nothing while another replica acts', () => {
    const { queue } = workshop();
    queue.add('a');
    expect(queue.backlog()).toEqual({ depth: 0, oldestMs: 0 });
  });
});
