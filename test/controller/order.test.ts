import { expect, test } from '@jest/globals';
import { byNeed } from '../../src/controller/order.ts';
import type { Workbench, WorkbenchStatus } from '../../src/workbench/resource.ts';

const workbench = (name: string, status?: WorkbenchStatus, more: object = {}): Workbench => ({
  metadata: { name, generation: 2, ...more },
  spec: { owner: 'alice' },
  ...(status ? { status } : {}),
});

test('whoever waits is told from whoever is settled, and nobody overtakes', () => {
  const all = [
    workbench('runs', { phase: 'Running', observedGeneration: 2 }),
    workbench('is new'),
    workbench('was edited', { phase: 'Running', observedGeneration: 1 }),
    workbench('is stopped', { phase: 'Stopped', observedGeneration: 2 }),
    workbench('is on its way', { phase: 'Provisioning', observedGeneration: 2 }),
    workbench('has failed', { phase: 'Failed', observedGeneration: 2 }),
    workbench('is deleted', { phase: 'Running', observedGeneration: 2 }, { deletionTimestamp: '2026-11-29T00:00:00Z' }),
  ];
  expect(byNeed(all)).toEqual({
    waiting: ['is new', 'was edited', 'is on its way', 'is deleted'],
    settled: ['runs', 'is stopped', 'has failed'],
  });
});
