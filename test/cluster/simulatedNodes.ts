import type { ControlPlane } from './controlPlane.ts';
import {
  KWOK_USER,
  createSimulatedNodes,
  refuseRepeatedStages,
  simulatedNodeNames,
  startKwok,
} from './components/kwok.ts';
import { isReady } from './nodeReady.ts';
import type { RunDirectory } from './run/runDirectory.ts';
import { until } from './run/until.ts';

export async function startSimulatedNodes(
  run: RunDirectory,
  binary: (name: string) => string,
  { access, kubeconfigFor }: ControlPlane,
): Promise<void> {
  await createSimulatedNodes(access);
  await refuseRepeatedStages(access);
  const kwok = startKwok(run, binary('kwok'), await kubeconfigFor(KWOK_USER, ['system:masters']));
  for (const name of simulatedNodeNames) {
    await until(`The simulated node ${name}`, 60, [kwok], () => isReady(access, name));
  }
}
