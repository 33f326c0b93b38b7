import { describe, expect, test } from '@jest/globals';
import { Hold, holdMs } from '../../src/controller/hold.ts';
import type { Phase, WorkbenchStatus } from '../../src/workbench/resource.ts';

const status = (phase: Phase, reason?: string): WorkbenchStatus => ({ phase, ...(reason ? { reason } : {}) });

describe('how long a status is held back', () => {
  test.each<[published: Phase | undefined, next: Phase, ms: number, why: string]>([
    [undefined, 'Starting', 1_000, 'it leads up'],
    ['Starting', 'Pending', 1_000, 'it leads up'],
    ['Pending', 'Provisioning', 1_000, 'it leads up'],
    ['Stopped', 'Starting', 1_000, 'it leads up'],
    ['Failed', 'Pending', 1_000, 'it leads up'],
    ['Provisioning', 'Running', 0, 'a person waits for it'],
    ['Running', 'Provisioning', 0, 'it takes the workbench from a person'],
    ['Running', 'Pending', 0, 'it takes the workbench from a person'],
    ['Running', 'Failed', 0, 'it takes the workbench from a person'],
    ['Pending', 'Failed', 0, 'it needs a person'],
    ['Running', 'Stopping', 300, 'it was asked for'],
    ['Failed', 'Stopping', 300, 'it was asked for'],
    ['Stopping', 'Stopped', 0, 'a person waits for it'],
  ])('%s → %s: %i ms, since %s', (published, next, ms) => {
    expect(holdMs(published && status(published), status(next))).toBe(ms);
  });

  test('another reason is another thing to say; another sentence for the same reason is said at once', () => {
    expect(holdMs(status('Pending', 'Scheduling'), status('Pending', 'ContainerCreating'))).toBe(1_000);
    expect(holdMs(status('Pending', 'Scheduling'), { ...status('Pending', 'Scheduling'), message: 'More.' })).toBe(0);
  });
});

describe('over several passes', () => {
  const [starting, pending, running] = [status('Starting'), status('Pending'), status('Running')];

  test('a phase that lasts is published when its second is over', () => {
    const hold = new Hold();
    expect(hold.remainingMs('a', undefined, starting, 5_000)).toBe(1_000);
    expect(hold.remainingMs('a', undefined, starting, 5_600)).toBe(400);
    expect(hold.remainingMs('a', undefined, starting, 6_000)).toBe(0);
    expect(hold.remainingMs('a', undefined, starting, 60_000)).toBe(0);
  });

  test('each phase has its own second', () => {
    const hold = new Hold();
    hold.remainingMs('a', undefined, starting, 5_000);
    expect(hold.remainingMs('a', undefined, pending, 5_900)).toBe(1_000);
    expect(hold.remainingMs('a', undefined, pending, 6_000)).toBe(900);
  });

  test('a quick start says nothing on its way and "running" at once', () => {
    const hold = new Hold();
    expect(hold.remainingMs('a', undefined, starting, 0)).toBeGreaterThan(0);
    expect(hold.remainingMs('a', undefined, pending, 300)).toBeGreaterThan(0);
    expect(hold.remainingMs('a', undefined, running, 900)).toBe(0);
  });

  test('what was published or forgotten begins a new second the next time', () => {
    const hold = new Hold();
    hold.remainingMs('a', undefined, starting, 0);
    hold.remainingMs('a', undefined, running, 500);
    expect(hold.remainingMs('a', status('Stopped'), starting, 700)).toBe(1_000);
    hold.forget('a');
    expect(hold.remainingMs('a', status('Stopped'), starting, 1_500)).toBe(1_000);
  });

  test('one workbench does not use up the second of another', () => {
    const hold = new Hold();
    hold.remainingMs('a', undefined, starting, 0);
    expect(hold.remainingMs('b', undefined, starting, 900)).toBe(1_000);
  });
});
