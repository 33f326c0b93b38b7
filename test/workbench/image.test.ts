import { describe, expect, test } from '@jest/globals';
import { IMAGE_REFERENCE, digestOf, isAllowed, repository } from '../../src/workbench/image.ts';
import { DIGEST } from './sample.ts';

const reference = new RegExp(IMAGE_REFERENCE);

describe('a reference that can be pulled is accepted', () => {
  test.each([
    'lab',
    'lab:latest',
    'team/lab',
    'team/lab:2026.11',
    'registry.example/lab',
    'registry.example/team/lab:v1',
    'registry.example:5000/lab:v1',
    'localhost:5000/lab',
    'localhost:5000/lab:v1_2-3.4',
    '394497726199.dkr.ecr.us-west-1.amazonaws.com/h1st/workbench:latest',
    `registry.example/lab@${DIGEST}`,
    `registry.example/lab:v1@${DIGEST}`,
    'a_b/c__d/e-f:G',
  ])('%s', (image) => {
    expect(image).toMatch(reference);
  });
});

describe('anything else is refused', () => {
  test.each([
    '',
    'Lab',
    'lab:',
    ':latest',
    '/lab',
    'lab/',
    'team//lab',
    'https://registry.example/lab',
    'registry.example/lab latest',
    'registry.example/lab:v1\n',
    'registry.example/../lab',
    'registry.example/lab@sha256:abc',
    'registry.example/lab@latest',
    'registry.example:port/lab',
    'registry.example:123456/lab',
    'lab;id',
    'lab$(id)',
    `lab:${'x'.repeat(129)}`,
    'läb',
  ])('%j', (image) => {
    expect(image).not.toMatch(reference);
  });
});

test('no text of 512 characters keeps the check busy', () => {
  const parts = ['a', 'a-', 'a.', 'a/', 'a_', 'a--', 'a/a:', '-', 'a:1/'];
  const worst = parts.flatMap((part) => ['!', '/', ':', '@'].map((end) => part.repeat(512).slice(0, 511) + end));
  const start = process.cpuUsage();
  for (const image of worst) expect(image).not.toMatch(reference);
  // Backtracking of the bad sort takes years; this takes a few milliseconds, even on a slow machine.
  expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
});

describe('the repository', () => {
  test.each([
    ['lab', 'lab'],
    ['lab:v1', 'lab'],
    ['localhost:5000/lab', 'localhost:5000/lab'],
    ['localhost:5000/lab:v1', 'localhost:5000/lab'],
    [`registry.example/lab@${DIGEST}`, 'registry.example/lab'],
    [`registry.example/lab:v1@${DIGEST}`, 'registry.example/lab'],
  ])('of %s is %s', (image, expected) => {
    expect(repository(image)).toBe(expected);
  });
});

describe('the digest', () => {
  test.each([
    [`registry.example/lab@${DIGEST}`, DIGEST],
    [`docker-pullable://registry.example/lab@${DIGEST}`, DIGEST],
    [DIGEST, undefined],
    ['registry.example/lab:v1', undefined],
    [`registry.example/lab@${DIGEST}0`, undefined],
    [`registry.example/lab@${DIGEST.toUpperCase()}`, undefined],
    ['', undefined],
    [undefined, undefined],
  ])('in %s is %s', (imageID, expected) => {
    expect(digestOf(imageID)).toBe(expected);
  });
});

describe('without patterns', () => {
  const settings = { image: 'registry.example/lab:latest', allowedImages: [] };
  test.each([
    ['registry.example/lab:latest', true],
    ['registry.example/lab:v1', true],
    ['registry.example/lab', true],
    [`registry.example/lab@${DIGEST}`, true],
    ['registry.example/lab2:latest', false],
    ['registry.example/lab/x:latest', false],
    ['evil.example/lab:latest', false],
    ['evil.example/registry.example/lab:latest', false],
    ['registryxexample/lab:latest', false],
    ['lab', false],
  ])('%s is allowed: %s, since only the repository of the installation is', (image, expected) => {
    expect(isAllowed(image, settings)).toBe(expected);
  });
});

describe('a pattern', () => {
  test.each<[pattern: string, image: string, expected: boolean]>([
    ['registry.example/team/*', 'registry.example/team/a:v1', true],
    ['registry.example/team/*', 'registry.example/team/a/b', false],
    ['registry.example/team/*', 'registry.example/other/a', false],
    ['registry.example/*/lab', 'registry.example/team/lab:v9', true],
    ['registry.example/lab:v*', 'registry.example/lab:v1', true],
    ['registry.example/lab:v*', 'registry.example/lab:latest', false],
    ['registry.example/lab:v*', 'registry.example/lab', false],
    // A runtime that is given a tag and a digest looks at the digest alone.
    ['registry.example/lab:v*', `registry.example/lab:v1@${DIGEST}`, false],
    ['registry.example/lab:v*@*', `registry.example/lab:v1@${DIGEST}`, true],
    ['registry.example/lab:v1', `registry.example/lab:v1@${DIGEST}`, false],
    ['registry.example/*', `registry.example/lab:v1@${DIGEST}`, true],
    ['registry.example/lab-*-*', 'registry.example/lab-a-b', true],
    ['registry.example/lab-*-*', 'registry.example/lab-a', false],
    ['registry.example/*-gpu', 'registry.example/-gpu-gpu', true],
    ['registry.example/*b*b', 'registry.example/ab', false],
    ['registry.example/*ab*ba', 'registry.example/aba', false],
    ['registry.example/ab*ba', 'registry.example/aba', false],
    ['registry.example/**', 'registry.example/lab', true],
    [`registry.example/lab@${DIGEST}`, `registry.example/lab@${DIGEST}`, true],
    [`registry.example/lab@${DIGEST}`, 'registry.example/lab:latest', false],
    ['*', 'busybox:1', true],
    ['*', 'evil.example/busybox', false],
    ['registry.example/lab', 'evil.example/x?registry.example/lab', false],
    // A pattern is text with stars, never a regular expression.
    ['registry.example/(a|b)+', 'registry.example/aab', false],
    ['registry.example/[a-z]', 'registry.example/a', false],
    ['.*', 'lab', false],
    ['registry.example/lab$', 'registry.example/lab', false],
  ])('%s, asked for %s: %s', (pattern, image, expected) => {
    expect(isAllowed(image, { image: 'own.example/own:latest', allowedImages: [pattern] })).toBe(expected);
  });

  test('of many stars is not kept busy by an image that nearly matches', () => {
    const image = `registry.example/${'a-'.repeat(240)}a/x`;
    const start = process.cpuUsage();
    expect(isAllowed(image, { image: 'lab', allowedImages: [`registry.example/${'*-'.repeat(100)}*`] })).toBe(false);
    // Backtracking takes longer than anybody waits; this takes less than a millisecond.
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
  });

  test('does not take away the image of the installation itself', () => {
    const settings = { image: 'own.example/own:latest', allowedImages: ['registry.example/*'] };
    expect(isAllowed('own.example/own:latest', settings)).toBe(true);
    expect(isAllowed('own.example/own:v1', settings)).toBe(false);
  });
});
