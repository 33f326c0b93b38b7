import { expect, test } from '@jest/globals';
import { Launches } from '../../src/controller/launches.ts';
import type { Phase } from '../../src/workbench/resource.ts';

/** What is told when a launch begins at second 0 and reaches these phases, a second each. */
function told(...phases: (Phase | 'begin' | 'lost')[]): string[] {
  const lines: string[] = [];
  const launches = new Launches(({ phase, ms }) => lines.push(`${phase} after ${ms / 1_000} s`));
  phases.forEach((phase, second) => {
    if (phase === 'begin') launches.begin('lab', second * 1_000);
    else if (phase === 'lost') launches.forgetAll();
    else launches.reach('lab', phase, second * 1_000);
  });
  return lines;
}

test('a launch tells each phase once, when it is first reached', () => {
  expect(told('begin', 'Starting', 'Pending', 'Pending', 'Provisioning', 'Pending', 'Running', 'Running')).toEqual([
    'Starting after 1 s',
    'Pending after 2 s',
    'Provisioning after 4 s',
    'Running after 6 s',
  ]);
});

test('the next launch is counted from its own beginning', () => {
  expect(told('begin', 'Running', 'Stopping', 'Stopped', 'begin', 'Running')).toEqual([
    'Running after 1 s',
    'Running after 1 s',
  ]);
});

test('one that fails has failed once, however often it is tried again, and even if it runs at last', () => {
  expect(told('begin', 'Failed', 'begin', 'Pending', 'Failed', 'Running', 'begin', 'Running')).toEqual([
    'Failed after 1 s',
    'Running after 1 s',
  ]);
});

test('one that is stopped on its way ends without a word', () => {
  expect(told('begin', 'Pending', 'Stopping', 'Running')).toEqual(['Pending after 1 s']);
});

test('what runs already, or began while another replica acted, is no launch', () => {
  expect(told('Provisioning', 'Running')).toEqual([]);
  expect(told('begin', 'lost', 'Running')).toEqual([]);
});
