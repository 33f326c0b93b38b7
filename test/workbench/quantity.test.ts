import { describe, expect, test } from '@jest/globals';
import { isPositiveQuantity, parseQuantity } from '../../src/workbench/quantity.ts';

describe('a Kubernetes quantity is the number that it stands for', () => {
  test.each([
    ['2', 2],
    ['0', 0],
    ['0.5', 0.5],
    ['500m', 0.5],
    ['1k', 1_000],
    ['1M', 1e6],
    ['1.5G', 1.5e9],
    ['1Ki', 1_024],
    ['4Gi', 4 * 1024 ** 3],
    ['1Ti', 1024 ** 4],
    ['1Pi', 1024 ** 5],
    ['000002', 2],
  ])('%s', (text, expected) => {
    expect(parseQuantity(text)).toBe(expected);
  });
});

describe('anything else is none', () => {
  test.each([
    '',
    ' ',
    '2 ',
    '+2',
    '-2',
    '.5',
    '5.',
    '1e3',
    '0x10',
    '2g',
    '2GB',
    '2gi',
    '1,5',
    '1_000',
    'Infinity',
    'NaN',
    '٣',
    '1\n',
    '9'.repeat(16),
  ])('%j', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
    expect(isPositiveQuantity(text)).toBe(false);
  });
});

test('ten thousand digits are no quantity', () => {
  expect(parseQuantity('1'.repeat(10_000))).toBeUndefined();
});

test.each([
  ['1m', true],
  ['0.000000001', true],
  ['0', false],
  ['0Gi', false],
  ['0.0', false],
  ['-1', false],
])('%s is a size that something can have: %s', (text, expected) => {
  expect(isPositiveQuantity(text)).toBe(expected);
});
