import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { KubeError, errorFromAnswer } from '../../src/kube/errors.ts';
import type { Reflector } from '../../src/kube/reflector.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';
import { bookmark, cut, lab, line, page, reflect, silent, watch } from './script.ts';
import type { Answer } from './script.ts';

const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 10 (500)' };
const brokenServer = () => errorFromAnswer(500, { message: 'etcdserver: leader changed' });

describe('the list', () => {
  test('comes in pages and is taken as one whole', async () => {
    const answers: Answer[] = [page('10', [lab('1', 'a')], 'more'), page('10', [lab('2', 'b')]), watch()];
    const { asked, names, reflector } = await reflect(answers);
    expect(asked).toEqual(['list', 'list after more', 'watch from 10']);
    expect(names).toEqual(['a@1', 'b@2']);
    expect(reflector).toMatchObject({ isSynced: true, lists: { first: 1, lost: 0, due: 0 } });
  });

  test('may be empty, as an old API server says it', async () => {
    const { reflector, names } = await reflect([page('10', null)]);
    expect(reflector.isSynced).toBe(true);
    expect(names).toEqual([]);
  });

  test('is asked for again until it comes, and only then is the world known', async () => {
    const failures = [brokenServer(), new Error('a defect'), errorFromAnswer(403, {})];
    const unsynced = await reflect(failures);
    expect(unsynced.asked).toEqual(['list', 'list', 'list']);
    expect(unsynced.reflector.isSynced).toBe(false);
    const { reflector, told } = await reflect([...failures, page('10', [])]);
    await reflector.synced;
    expect(told.map(({ error }) => error)).toEqual(failures);
  });

  test('whose next page has expired begins again', async () => {
    const { asked, names } = await reflect([
      page('10', [lab('1', 'a')], 'more'),
      errorFromAnswer(410, expired),
      page('20', [lab('12', 'b')]),
      watch(),
    ]);
    expect(asked).toEqual(['list', 'list after more', 'list', 'watch from 20']);
    expect(names).toEqual(['b@12']);
  });
});

describe('the watch', () => {
  test('brings what is added, changed and deleted, however it is cut into chunks', async () => {
    const text = line('ADDED', lab('11', 'ä')) + line('MODIFIED', lab('12')) + line('DELETED', lab('13', 'old'));
    const bytes = [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
    const { asked, names } = await reflect([page('10', [lab('1', 'old'), lab('2')]), watch(...bytes), watch()]);
    expect(names.toSorted()).toEqual(['lab@12', 'ä@11']);
    expect(asked.at(-1)).toBe('watch from 13');
  });

  test('that ends is resumed from its last event or bookmark, without a new list', async () => {
    const answers = [page('10', []), watch(line('ADDED', lab('11'))), watch(bookmark('50')), watch()];
    const { asked, told } = await reflect(answers);
    expect(asked).toEqual(['list', 'watch from 10', 'watch from 11', 'watch from 50']);
    expect(told.length).toBeLessThanOrEqual(1);
  });

  test('is known to tell of changes while it is open, and at no other time', async () => {
    const seen: boolean[] = [];
    let kept: Reflector<KubeObject>;
    const look =
      <T extends object>(answer: () => T) =>
      () => {
        seen.push(kept.isWatching);
        return answer();
      };
    const first = look(() => page('10', []));
    const during = () => line('ADDED', lab('11'));
    await reflect(
      [first, look(watch(during())), look(watch(bookmark('20')))],
      { onHeard: () => seen.push(kept.isWatching) },
      (reflector) => {
        kept = reflector;
      },
    );
    // Asked to list, listed; asked to watch, an event; asked to watch, a bookmark.
    expect(seen).toEqual([false, false, false, true, false, true]);
    expect(kept!.isWatching).toBe(false);
  });

  test('that ends at once and empty, again and again, is not asked at full speed', async () => {
    const pauses: number[] = [];
    const stop = new AbortController();
    const onProblem = ({ retryInMs }: { retryInMs: number }) => {
      if (pauses.push(retryInMs) === 2) stop.abort();
    };
    await reflect([page('10', []), watch(), watch(), watch()], {
      longestPauseMs: 30_000,
      signal: stop.signal,
      onProblem,
    });
    expect(pauses[0]).toBe(0);
    expect(pauses[1]).toBeGreaterThanOrEqual(800);
  });

  test('that says what nobody understands costs a new list', async () => {
    const { asked } = await reflect([page('10', []), watch('{"type":"ADDED"}\n'), page('20', []), watch()]);
    expect(asked).toEqual(['list', 'watch from 10', 'list', 'watch from 20']);
  });

  test('that is cut in mid-line loses the half event only, and is resumed from the last whole one', async () => {
    const half = line('ADDED', lab('12', 'half')).slice(0, -9);
    const { asked, names, told } = await reflect([
      page('10', []),
      cut(line('ADDED', lab('11')) + half),
      watch(line('ADDED', lab('12', 'half'))),
    ]);
    expect(asked).toEqual(['list', 'watch from 10', 'watch from 11']);
    expect(names).toEqual(['lab@11', 'half@12']);
    expect(told).toMatchObject([{ error: { kind: 'unreachable' } }]);
  });

  test('that ends in mid-line drops the half event as well', async () => {
    const { asked, names } = await reflect([page('10', []), watch(line('ADDED', lab('11')).slice(0, -9)), watch()]);
    expect(asked).toEqual(['list', 'watch from 10', 'watch from 10']);
    expect(names).toEqual([]);
  });

  test.each<[what: string, answer: Answer]>([
    ['is refused with 410', errorFromAnswer(410, expired)],
    ['says 410 in its stream', watch(line('ERROR', expired))],
    ['makes no sense', watch('<html>\n')],
  ])('that %s costs one new list, which takes what is gone meanwhile', async (_what, answer) => {
    const { asked, names, reflector } = await reflect([page('10', [lab('1')]), answer, page('90', []), watch()]);
    expect(asked).toEqual(['list', 'watch from 10', 'list', 'watch from 90']);
    expect(names).toEqual([]);
    expect(reflector.lists).toEqual({ first: 1, lost: 1, due: 0, asked: 0 });
  });
});

describe('an API server in trouble', () => {
  test('is asked again for ever, from the same place', async () => {
    const { asked, told, names } = await reflect([
      page('10', [lab('1')]),
      ...Array.from({ length: 50 }, brokenServer),
      watch(line('ADDED', lab('11', 'late'))),
    ]);
    expect(new Set(asked)).toEqual(new Set(['list', 'watch from 10']));
    expect(told).toHaveLength(50);
    expect(names).toEqual(['lab@1', 'late@11']);
  });

  test('is asked at once after a healthy stretch, then ever more rarely, up to the longest pause', async () => {
    // Real pauses of 0.8 s and more: only the plan of them is looked at, the first of them ends with the reflector.
    const stop = new AbortController();
    const pauses: number[] = [];
    await reflect([page('10', []), brokenServer(), brokenServer()], {
      longestPauseMs: 30_000,
      signal: stop.signal,
      onProblem: ({ retryInMs }) => pauses.push(retryInMs) === 2 && stop.abort(),
    });
    expect(pauses[0]).toBe(0);
    expect(pauses[1]).toBeGreaterThanOrEqual(800);
    expect(pauses[1]).toBeLessThanOrEqual(1_600);
    const { told } = await reflect([page('10', []), ...Array.from({ length: 12 }, brokenServer)], {
      longestPauseMs: 4,
    });
    expect(Math.max(...told.map(({ retryInMs }) => retryInMs))).toBeLessThanOrEqual(4);
  });

  test('is given the time that it asks for', async () => {
    const stop = new AbortController();
    const pauses: number[] = [];
    const { asked } = await reflect([page('10', []), errorFromAnswer(429, {}, '7'), watch()], {
      signal: stop.signal,
      onProblem: ({ retryInMs }) => {
        pauses.push(retryInMs);
        // Within the pause, so that nothing more is asked.
        setImmediate(() => stop.abort());
      },
    });
    expect(pauses).toEqual([7_000]);
    expect(asked).toEqual(['list', 'watch from 10']);
  });
});

describe('silence', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each<[what: string, chunk: string, isCutAfter: boolean[]]>([
    ['an event begins the time anew', bookmark('11'), [false, false, true]],
    ['bytes without an event do not: a line that never ends is silence, too', '{"type":"AD', [false, true, true]],
  ])('of 75 s means a dead connection: it is cut and the watch resumed; %s', async (_what, chunk, isCutAfter) => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
    const spoken = silent();
    const seen: boolean[] = [];
    const pass = (ms: number) => {
      jest.advanceTimersByTime(ms);
      seen.push(spoken.destroyed);
    };
    const watchOnce = () => {
      setImmediate(() => {
        pass(74_000);
        spoken.push(chunk);
      });
      // After the reflector has taken note of it.
      spoken.once('data', () => setImmediate(() => [74_000, 1_000].forEach(pass)));
      return spoken;
    };
    const { asked, told } = await reflect([page('10', []), watchOnce, watch()]);
    expect(seen).toEqual(isCutAfter);
    expect(asked.map((what) => what.replace(/\d+/, 'N'))).toEqual(['list', 'watch from N', 'watch from N']);
    expect(told[0]).toMatchObject({
      error: { kind: 'unreachable', message: expect.stringContaining('no event for 75000 ms') },
    });
  });

  test('is followed by the next watch at once, however often there was silence before', async () => {
    const answers = [page('10', []), ...Array.from({ length: 5 }, () => silent), watch(bookmark('20'))];
    const { told } = await reflect(answers, { silenceMs: 1, longestPauseMs: 100 });
    expect(told.slice(0, 5).map(({ retryInMs }) => retryInMs)).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('a list that has grown old', () => {
  test.each<[how: string, answer: Answer]>([
    ['ends', watch(bookmark('50'))],
    ['is cut', cut(bookmark('50'))],
  ])('is followed by another when a watch %s, which takes what was lost without a trace', async (_how, answer) => {
    const { asked, names, reflector } = await reflect(
      [page('10', [lab('1', 'gone'), lab('2')]), answer, page('60', [lab('30'), lab('31', 'new')])],
      { relistAfterMs: 0 },
    );
    expect(asked).toEqual(['list', 'watch from 10', 'list']);
    expect(names.toSorted()).toEqual(['lab@30', 'new@31']);
    expect(reflector.lists).toEqual({ first: 1, lost: 0, due: 1, asked: 0 });
  });

  test('is not, before its time', async () => {
    const { asked } = await reflect([page('10', []), watch(bookmark('50')), watch()], { relistAfterMs: 60_000 });
    expect(asked).toEqual(['list', 'watch from 10', 'watch from 50']);
  });
});

test('a list that is due and cannot be had costs no watch: it goes on where it stood, and the list is tried again later', async () => {
  const { asked, names, reflector } = await reflect(
    [page('10', [lab('2')]), watch(bookmark('50')), brokenServer(), watch(line('ADDED', lab('51', 'new'))), watch()],
    { relistAfterMs: 0.001 },
  );
  expect(asked).toEqual(['list', 'watch from 10', 'list', 'watch from 50', 'watch from 51']);
  expect(names.toSorted()).toEqual(['lab@2', 'new@51']);
  expect(reflector.lists).toEqual({ first: 1, lost: 0, due: 0, asked: 0 });
});

describe('a list that is asked for', () => {
  test('comes at once, also from within a silent watch, and is waited for', async () => {
    const quiet = silent();
    let refreshed: Promise<void> | undefined;
    let reflector: Reflector<KubeObject>;
    const ask = () => {
      setImmediate(() => (refreshed = reflector.refresh(0)));
      return quiet;
    };
    const answers = [page('10', [lab('2')]), ask, brokenServer(), page('60', [lab('30')]), watch()];
    const result = await reflect(answers, {}, (running) => (reflector = running));
    expect(result.asked).toEqual(['list', 'watch from 10', 'list', 'list', 'watch from 60']);
    expect(quiet.destroyed).toBe(true);
    await refreshed;
    expect(result.reflector.lists).toEqual({ first: 1, lost: 0, due: 0, asked: 1 });
    expect(result.names).toEqual(['lab@30']);
  });

  test('is none where the last one is a moment old', async () => {
    const { reflector } = await reflect([page('10', [])]);
    await reflector.refresh(60_000);
    expect(reflector.lists).toMatchObject({ asked: 0 });
  });
});

test('a refusal is an answer, though nothing is heard: a new connection would change nothing', async () => {
  const { reflector } = await reflect([errorFromAnswer(403, {})]);
  expect(reflector.lastAnsweredAt).toBeGreaterThan(0);
  expect(reflector).toMatchObject({ lastHeardAt: 0, interruptions: 1 });
  const unreachable = await reflect([new KubeError('unreachable', 0, {})]);
  expect(unreachable.reflector).toMatchObject({ lastHeardAt: 0, lastAnsweredAt: 0 });
});

test('the end comes at once, in the middle of a silent watch', async () => {
  const stop = new AbortController();
  const quiet = silent();
  const { told } = await reflect([page('10', []), () => (setImmediate(() => stop.abort()), quiet)], {
    signal: stop.signal,
  });
  expect(quiet.destroyed).toBe(true);
  expect(told).toEqual([]);
});
