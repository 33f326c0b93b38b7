import { expect, test } from '@jest/globals';
import { contextRows, goalRows } from '../../bench/goals.ts';
import type { Row } from '../../bench/goals.ts';
import { Results } from '../../bench/results.ts';
import { contextTable, goalTable, joinSizes, reached, toReport } from '../../bench/table.ts';

const row: Row = {
  figure: 'failover',
  goal: '≤ 2 s / ≤ 17 s',
  measures: [
    { name: 'soft', label: 'SIGTERM', unit: 's', atMost: 2 },
    { name: 'hard', label: 'SIGKILL', unit: 's', atMost: 17 },
    { name: 'beside', label: 'beside', unit: '/s' },
  ],
};

function resultsOf(values: Record<string, number[]>): Results {
  const results = new Results([row]);
  for (const [name, list] of Object.entries(values)) for (const value of list) results.add(name, value);
  return results;
}

test.each([
  ['every limit is kept', { soft: [1], hard: [16] }, 'yes'],
  ['the median counts, not the worst run', { soft: [1, 1, 9], hard: [16] }, 'yes'],
  ['one limit is missed', { soft: [3], hard: [16] }, 'no: SIGTERM'],
  ['one limit is missed and the other not measured', { hard: [18] }, 'no: SIGKILL'],
  ['one limit is kept and the other not measured', { soft: [1] }, 'in part'],
  ['only what has no limit was measured', { beside: [1] }, '–'],
  ['nothing was measured', {}, '–'],
])('when %s, the goal is reached: %j → %s', (_, values, expected) => {
  expect(reached(row, resultsOf(values))).toBe(expected);
});

test('a lower limit is a limit', () => {
  const rate: Row = { figure: '', goal: '', measures: [{ name: 'a', label: 'rate', unit: '%', atLeast: 90 }] };
  const results = new Results([rate]);
  results.add('a', 89);
  expect(reached(rate, results)).toBe('no: rate');
});

test('a row has the figure, the goal, each median with its spread, and the verdict', () => {
  const lines = goalTable([row], resultsOf({ soft: [1, 1.5, 2], hard: [16], beside: [1000] })).split('\n');
  expect(lines[2]).toBe('| failover | ≤ 2 s / ≤ 17 s | SIGTERM: 1.5 s (1–2); SIGKILL: 16 s; beside: 1,000/s | yes |');
});

test('a row that was not measured says so, and has no place among what is beside the goals', () => {
  expect(goalTable([row], resultsOf({}))).toContain('| not measured in this run | – |');
  expect(contextTable([row], resultsOf({}))).not.toContain('failover');
});

const machine = { cpu: '', cores: 2, memoryGiB: 1, kernel: '', node: '', kubernetes: '' };
const sizes = { launches: [200], populations: [200] };

test('JSON has the value of every run', () => {
  const report = toReport([row], resultsOf({ soft: [1, 3] }), machine, sizes);
  expect(report).toMatchObject({
    sizes,
    rows: [{ measures: [{ values: [1, 3], median: 2, reached: 'yes' }, {}, {}] }],
  });
});

test('runs that were written as JSON are joined again', () => {
  const results = resultsOf({ soft: [1] });
  results.join(toReport([row], resultsOf({ soft: [3], hard: [16] }), machine, sizes));
  expect(results.values('soft')).toEqual([1, 3]);
  expect(results.values('hard')).toEqual([16]);
  expect(
    joinSizes([
      { launches: [5], populations: [1, 10] },
      { launches: [3, 5], populations: [1] },
    ]),
  ).toEqual({
    launches: [3, 5],
    populations: [1, 10],
  });
});

test('a value without a name in the table, or that is no number, is a mistake', () => {
  expect(() => resultsOf({ sfot: [1] })).toThrow('"sfot"');
  expect(() => resultsOf({ soft: [NaN] })).toThrow('NaN');
});

test('no two measures share a name', () => {
  const many = { launches: [1_000, 5_000], populations: [1_000, 10_000] };
  const names = [...goalRows(many), ...contextRows(many)].flatMap(({ measures }) => measures.map(({ name }) => name));
  expect(names.length).toBe(new Set(names).size);
});
