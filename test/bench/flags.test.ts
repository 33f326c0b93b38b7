import { expect, test } from '@jest/globals';
import { USAGE, parseFlags } from '../../bench/flags.ts';

test('without flags every figure of simulated nodes is measured three times', () => {
  expect(parseFlags([])).toMatchObject({ runs: 3, launches: [1_000, 5_000], populations: [1_000], cpuProf: false });
  expect(parseFlags([]).parts).toEqual(['launches', 'steps', 'latency', 'post', 'rest', 'population', 'failover']);
});

test.each([
  [['--quick'], { runs: 1, launches: [100], populations: [100] }],
  [['--quick', '--runs', '2', '--n', '50'], { runs: 2, launches: [50] }],
  [['--n', '100,200'], { launches: [100, 200] }],
  [['--scale'], { populations: [1_000, 2_000, 5_000, 10_000] }],
  [['--storm'], { storm: 5_000 }],
  [['--storm', '300'], { storm: 300 }],
  [['--real'], { real: true }],
  [['--only', 'failover', '--only', 'launches'], { parts: ['launches', 'failover'] }],
  [['--only', 'post', '--storm'], { parts: ['post', 'storm'] }],
  [['--json', 'a.json'], { json: 'a.json' }],
  [['--print', 'a.json', '--print', 'b.json'], { print: ['a.json', 'b.json'] }],
  [['--node-flag=--optimize-for-size'], { nodeFlags: ['--optimize-for-size'] }],
  [['-h'], { help: true }],
])('%j is understood', (args, flags) => {
  expect(parseFlags(args)).toMatchObject(flags);
});

test.each([
  [['--n', '10,x'], '"x"'],
  [['--runs', '0'], '"0"'],
  [['--only', 'everything'], 'launches, steps'],
  [['fast'], '"fast"'],
  [['--storm', '5', '6'], '"6"'],
  [['--qiuck'], '--qiuck'],
])('%j is refused with a sentence', (args, text) => {
  expect(() => parseFlags(args)).toThrow(text);
});

test('every part that can be chosen is in the help', () => {
  for (const part of parseFlags([]).parts) expect(USAGE).toContain(part);
});
