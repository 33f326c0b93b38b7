import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanDeadRuns } from './cleanDeadRuns.ts';
import { cleanRun } from './cleanRun.ts';
import { openRunDirectory, readRecord, saveRecord } from './runDirectory.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'run-directory-'));
});
afterEach(() => rmSync(parent, { recursive: true }));

test('a directory with files of somebody else is refused and keeps them', () => {
  writeFileSync(join(parent, 'thesis.tex'), 'years of work');
  expect(() => openRunDirectory('simulated', parent)).toThrow('not empty');
  expect(readdirSync(parent)).toEqual(['thesis.tex']);
});

test('a directory that was named keeps its logs until the next run', () => {
  const run = openRunDirectory('simulated', join(parent, 'a'));
  run.write('logs/etcd.log', 'a line');
  run.write('state', '');
  cleanRun(run.dir);
  expect(readdirSync(run.dir)).toEqual(['logs']);
  openRunDirectory('simulated', run.dir);
  expect(readdirSync(run.path('logs'))).toEqual([]);
});

test('a path too long for unix sockets is refused', () => {
  expect(() => openRunDirectory('simulated', join(parent, 'x'.repeat(80)))).toThrow('at most 70 characters');
});

test('only dead runs of the wanted kind are cleaned up after', () => {
  const run = openRunDirectory('simulated', join(parent, 'a'));
  const lines: string[] = [];
  const clean = (kind: 'real' | 'simulated'): void => cleanDeadRuns(kind, [run.dir], (line) => lines.push(line));
  clean('simulated');
  expect(readRecord(run.dir)).toBeDefined();

  run.record.owner.startTime += '1';
  saveRecord(run);
  clean('real');
  expect(readRecord(run.dir)).toBeDefined();
  clean('simulated');
  expect(existsSync(run.path('run.json'))).toBe(false);
  expect(lines.filter((line) => line.includes(run.dir))).toHaveLength(1);
});
