import type { Workbench } from '../workbench/resource.ts';

/**
 * Who waits for something, and for whom there is probably nothing to do.
 * @returns names
 */
export function byNeed(workbenches: Iterable<Workbench>): { waiting: string[]; settled: string[] } {
  const { waiting = [], settled = [] } = Object.groupBy(workbenches, (one) => (isSettled(one) ? 'settled' : 'waiting'));
  return { waiting: waiting.map(nameOf), settled: settled.map(nameOf) };
}

function nameOf({ metadata: { name } }: Workbench): string {
  return name;
}

function isSettled({ metadata, status }: Workbench): boolean {
  const isOver = status?.phase === 'Running' || status?.phase === 'Stopped' || status?.phase === 'Failed';
  return isOver && status.observedGeneration === metadata.generation && metadata.deletionTimestamp === undefined;
}
