import { expect, test } from '@jest/globals';
import { identify, isAlive, parseStat } from './identity.ts';

test('the start time is found behind any command name', () => {
  const tail = `S 1 2 2 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 11 0 987654 ${'0 '.repeat(30)}`;
  for (const name of ['node', 'a b', 'tricky) S 1', '((']) {
    expect(parseStat(`42 (${name}) ${tail}`)).toEqual({ state: 'S', startTime: '987654' });
  }
});

test('what is no stat is refused', () => {
  expect(() => parseStat('42 (node)')).toThrow();
});

test('a process is alive only under the start time on record: a recycled pid is a stranger', () => {
  const self = identify(process.pid);
  if (self === undefined) throw new Error('this process is not there');
  expect(isAlive(self)).toBe(true);
  expect(isAlive({ ...self, startTime: `${self.startTime}1` })).toBe(false);
});

test('a pid that nobody has is nobody', () => {
  expect(identify(2 ** 22 + 1)).toBeUndefined();
});
