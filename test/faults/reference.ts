/** What an undisturbed run of a scenario does and leaves: as plans.ts and the plans' judge take it to be. */
import type { Kind } from '../../src/kube/kinds.ts';
import type { Claim } from '../../src/workbench/objects.ts';
import type { Seen } from '../observer.ts';
import { isWrite, textOf } from './calls.ts';
import type { Recorded } from './play.ts';
import type { Scenario } from './scenarios.ts';

const STATUS = 'patch workbenches/status';
const ROUTE_GOES = 'delete ingresses';

/**
 * The writes of a run. Of statuses only the last: on a slow machine a phase may last the second that makes it worth a write. Of
 * one that is gone none, for the same reason. A predecessor's route goes by us or by the garbage collector, whoever is quicker,
 * so it counts only where it is ours to do.
 */
export function writesIn(record: readonly Recorded[], scenario: Scenario): string[] {
  const { after, writes } = scenario;
  const asked = record.filter(isWrite).map(textOf);
  const last = after === 'gone' ? -1 : asked.lastIndexOf(STATUS);
  const isCounted = (write: string) => write !== ROUTE_GOES || writes.includes(ROUTE_GOES);
  return inOrder(
    asked.filter((write, index) => isCounted(write) && (write !== STATUS || index === last)),
    scenario,
  );
}

/** The scenario's own writes, to be compared with the former. */
export function writesOf(scenario: Scenario): string[] {
  return inOrder(scenario.writes, scenario);
}

function inOrder(writes: readonly string[], { routeGoes }: Scenario): string[] {
  if (routeGoes !== 'anytime') return [...writes];
  const isRoute = (write: string) => write === ROUTE_GOES;
  return [...writes.filter((write) => !isRoute(write)), ...writes.filter(isRoute)];
}

const LEFT: Record<Scenario['after'], Kind[]> = {
  running: ['Ingress', 'Pod', 'Service', 'Workbench'],
  stopped: ['Service', 'Workbench'],
  gone: [],
};

/** The kinds of what there is of a workbench after it: a volume unless it had none, or has gone with it since its class says so. */
export function leftBy({ after, class: name }: Pick<Scenario, 'after' | 'class'>): Kind[] {
  const hasVolume = name === 'kept' || (name === 'thrown' && after !== 'gone');
  return [...LEFT[after], ...(hasVolume ? ['PersistentVolumeClaim' as const] : [])].toSorted();
}

/** Whether that is there, all of it, and nothing of it on its way out. */
export function isLeft(objects: readonly Seen[], scenario: Pick<Scenario, 'after' | 'class'>): boolean {
  const isWhole = (object: Seen) =>
    !object.metadata.deletionTimestamp &&
    (object.kind !== 'PersistentVolumeClaim' || (object as Claim).status?.phase === 'Bound');
  const kinds = objects.map(({ kind }) => kind).toSorted();
  return kinds.join() === leftBy(scenario).join() && objects.every(isWhole);
}
