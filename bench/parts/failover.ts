/** Two replicas, with the lease times of the product: from the signal to the acting one until a new workbench is Running. */
import type { Ground } from '../ground.ts';
import { Observer } from '../observer.ts';
import { createOne, newNames, sweep } from '../portal.ts';
import type { Results } from '../results.ts';

export async function measureFailover(ground: Ground, results: Results): Promise<void> {
  const { portal, replica, report } = ground;
  const observer = new Observer(portal, { pods: false });
  await observer.synced;
  // The first one gets the lease, since nobody else is there.
  let acting = await replica('replica-a');
  const [first] = newNames(1);
  await createOne(portal, first!);
  await observer.until([first!], 'Running');
  let waiting = await replica('replica-b');

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const [name] = newNames(1);
    const began = performance.now();
    const ended = acting.end(signal);
    await createOne(portal, name!);
    await observer.until([name!], 'Running');
    const seconds = (observer.runningAt.get(name!)! - began) / 1_000;
    results.add(`failover ${signal}`, seconds);
    report(`${signal}: ${seconds.toFixed(1)} s`);
    await ended;
    await acting.start();
    [acting, waiting] = [waiting, acting];
  }
  await Promise.all([acting.end(), waiting.end()]);
  await observer.stop();
  await sweep(portal);
}
