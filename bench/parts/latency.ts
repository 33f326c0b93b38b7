/** How quickly the controller answers: to a new workbench with a Pod, and to a ready Pod with "Running". */
import { CONTROLLER_USER } from '../../test/installation.ts';
import { seenToPostMs } from '../calls.ts';
import { PORTAL_USER } from '../ground.ts';
import type { Ground } from '../ground.ts';
import { Observer } from '../observer.ts';
import { createOne, createPaced, newNames, patienceMs, sweep } from '../portal.ts';
import type { Results } from '../results.ts';
import { percentile } from '../statistics.ts';

const PER_SECOND = 50;
/** What two cores with a whole cluster on them keep up with, so that what is measured is no queue. */
const STEADY = 15;

export async function measureLatency(ground: Ground, results: Results): Promise<void> {
  const { portal, controller, audit, flags } = ground;
  await controller.start();
  const observer = new Observer(portal, { pods: true });
  await observer.synced;

  async function during(launch: () => Promise<string[]>): Promise<{ post: number[]; running: number[] }> {
    const mark = await audit.mark();
    const names = await launch();
    await observer.until(names, 'Running', patienceMs(names.length));
    const [portals, ours] = [await audit.since(mark, PORTAL_USER), await audit.since(mark, CONTROLLER_USER)];
    // The two come by two watches, and the later one may overtake.
    const running = names.map((name) => Math.max(observer.runningAt.get(name)! - observer.podReadyAt.get(name)!, 0));
    return { post: seenToPostMs(portals, ours), running };
  }

  const idle = await during(async () => {
    const names = newNames(flags.effort.single);
    for (const name of names) {
      await createOne(portal, name);
      await observer.until([name], 'Running');
    }
    return names;
  });
  results.add('post idle p50', percentile(idle.post, 50));
  results.add('running idle p50', percentile(idle.running, 50));

  const steady = await during(() => createPaced(portal, STEADY, flags.effort.paceMs));
  results.add('post steady p99', percentile(steady.post, 99));
  results.add('running steady p50', percentile(steady.running, 50));
  results.add('running steady p99', percentile(steady.running, 99));

  const busy = await during(() => createPaced(portal, PER_SECOND, flags.effort.paceMs));
  results.add('post 50/s p99', percentile(busy.post, 99));
  results.add('running p50', percentile(busy.running, 50));
  results.add('running p99', percentile(busy.running, 99));

  await observer.stop();
  await controller.end();
  await sweep(portal);
}
