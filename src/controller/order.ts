import type { Workbench } from '../workbench/resource.ts';

/**
 * In which order to look at all of them: who waits for something comes before those for whom there is probably nothing to do.
 * @returns names
 */
export function waitingFirst(workbenches: Iterable<Workbench>): string[] {
  const { waiting = [], settled = [] } = Object.groupBy(workbenches, (one) => (isSettled(one) ? 'settled' : 'waiting'));
  return [...waiting, ...settled].map(({ metadata }) => metadata.name);
}

function isSettled({ metadata, status }: Workbench): boolean {
  const isOver = status?.phase === 'Running' || status?.phase === 'Stopped' || status?.phase === 'Failed';
  return isOver && status.observedGeneration === metadata.generation && metadata.deletionTimestamp === undefined;
}
