/** What the Dockerfile takes from the project reaches it. */
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

test('.dockerignore lets through what the Dockerfile copies, and nothing else', () => {
  const copied = readFileSync('Dockerfile', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
    .flatMap((line) => line.split(' ').slice(1, -1));
  const [all, ...allowed] = readFileSync('.dockerignore', 'utf8').trim().split('\n');
  expect(all).toBe('*');
  expect(allowed.map((line) => line.replace('!', '')).toSorted()).toEqual(copied.toSorted());
});
