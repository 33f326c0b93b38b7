import { expect, test } from '@jest/globals';
import { formatNumber, percentile, summarize } from '../../bench/statistics.ts';

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

test.each([
  [hundred, 50, 50],
  [hundred, 99, 99],
  [hundred, 100, 100],
  [hundred, 0, 1],
  [[7], 99, 7],
  [[10, 2], 50, 2],
  [[10, 9, 100], 99, 100],
])('a percentile is a value that was seen: the smallest that so many do not exceed', (values, percent, expected) => {
  expect(percentile(values, percent)).toBe(expected);
});

test('of nothing there is no percentile and no summary', () => {
  expect(percentile([], 50)).toBeNaN();
  expect(summarize([])).toBeUndefined();
});

test.each([
  [[3, 1, 2], { median: 2, min: 1, max: 3 }],
  [[1, 10], { median: 5.5, min: 1, max: 10 }],
  [[4], { median: 4, min: 4, max: 4 }],
])('runs are told by their median and their spread', (values, expected) => {
  expect(summarize(values)).toEqual(expected);
});

test.each([
  [20_100.4, '20,100'],
  [59.34, '59.3'],
  [1.234, '1.23'],
  [4, '4'],
  [0, '0'],
])('%d is shown as %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
