/** Workbenches at rest: memory, idle writes, answers to lists, and a cold restart among them. Sizes grow, so each stands on the last. */
import { setTimeout as delay } from 'node:timers/promises';
import { CONTROLLER_USER } from '../../test/installation.ts';
import { isControllerWrite, isUncachedRead, subjectOf } from '../calls.ts';
import { untilCaughtUp } from '../caught-up.ts';
import type { Ground } from '../ground.ts';
import { Observer } from '../observer.ts';
import { createMany, createOne, newNames, patienceMs, sweep } from '../portal.ts';
import { controlPlaneCpuMs, cpuMs, rssMB, spentSince } from '../processes.ts';
import type { Results } from '../results.ts';
import { measureLists } from './lists.ts';

const HOUR_MS = 3_600_000;

export async function measurePopulation(ground: Ground, results: Results): Promise<void> {
  const { portal, controller, flags, report } = ground;
  const { restMs } = flags.effort;
  const memory = () => rssMB(controller.process().pid!);

  await controller.start();
  await delay(restMs);
  const idle = memory();
  results.add('memory idle', idle);

  const names: string[] = [];
  for (const size of flags.populations) {
    const observer = new Observer(portal, { pods: false });
    await observer.synced;
    // Those of the first size have owners with a hundred each; all later ones belong to one person.
    const isFirst = names.length === 0;
    names.push(...(await createMany(portal, size - names.length, isFirst ? undefined : 'everybody')));
    await observer.until(names, 'Running', patienceMs(size));
    report(`${size} run`);
    // Nothing is at rest while the controller manager is still behind with its Endpoints, which takes it minutes.
    await untilCaughtUp(portal, size);
    report(`${size} at rest`);

    await rest(ground, results, restMs);
    const used = memory();
    results.add(`memory ${size}`, used);
    if (size === flags.populations.at(-1)) results.add('memory growth', ((used - idle) * 1_000) / size);
    await measureLists(ground, results, size, isFirst ? [100] : [100, 'all']);
    names.push(await restart(ground, results, size, observer));
    await observer.stop();
  }
  await controller.end();
  await sweep(portal);
}

async function rest({ audit }: Ground, results: Results, restMs: number): Promise<void> {
  const mark = await audit.mark();
  await delay(restMs);
  const entries = await audit.since(mark, CONTROLLER_USER);
  results.add('writes idle hour', (entries.filter(isControllerWrite).length * HOUR_MS) / restMs);
  results.add('reads', entries.filter(isUncachedRead).length);
}

/**
 * A new workbench is made while the controller is away; from the start of its process until that one is Running.
 * @returns its name
 */
async function restart(ground: Ground, results: Results, size: number, observer: Observer): Promise<string> {
  const { cluster, controller, portal, audit, flags, report } = ground;
  await controller.end();
  const [name] = newNames(1);
  await createOne(portal, name!);
  const mark = await audit.mark();
  const [before, began] = [controlPlaneCpuMs(cluster.dir), performance.now()];
  await controller.start();
  await observer.until([name!], 'Running');
  const used = { controller: cpuMs(controller.process().pid!), ...spentSince(before, cluster.dir) };
  const seconds = (observer.runningAt.get(name!)! - began) / 1_000;
  results.add(`restart ${size}`, seconds);
  report(
    `restarted in ${seconds.toFixed(2)} s; ms of CPU: ${Object.entries(used)
      .map(([name, ms]) => `${name} ${Math.round(ms)}`)
      .join(', ')}`,
  );
  await delay(flags.effort.restMs / 2);
  const writes = (await audit.since(mark, CONTROLLER_USER)).filter(isControllerWrite);
  results.add('restart writes', writes.filter((entry) => subjectOf(entry) !== name).length);
  results.add(`memory restarted ${size}`, rssMB(controller.process().pid!));
  return name!;
}
