/** Thousands of creations at once: what somebody else's small request feels, and how many Pods are on their way at a time. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Transport } from '../../src/kube/transport.ts';
import { CONTROLLER_USER } from '../../test/installation.ts';
import { BYSTANDER_USER, PORTAL_USER } from '../ground.ts';
import type { Ground } from '../ground.ts';
import { Observer } from '../observer.ts';
import { createMany, patienceMs, sweep } from '../portal.ts';
import type { Results } from '../results.ts';
import { percentile } from '../statistics.ts';

const EVERY_MS = 20;
const BEFORE_MS = 5_000;
/** As many as the portal has connections. */
const AT_ONCE = 64;

export async function measureStorm(ground: Ground, results: Results): Promise<void> {
  const { portal, bystander, controller, audit, flags, report } = ground;
  await controller.start();
  const observer = new Observer(portal, { pods: true });
  await observer.synced;
  const mark = await audit.mark();

  const calm = watchOver(bystander);
  await delay(BEFORE_MS);
  results.add('storm before p99', percentile(await calm(), 99));

  const stormy = watchOver(bystander);
  const began = performance.now();
  const names = await createMany(portal, flags.storm, undefined, AT_ONCE);
  results.add('storm creates', (names.length * 1_000) / (performance.now() - began));
  await observer.until(names, 'Running', patienceMs(names.length));
  results.add('storm seconds', (performance.now() - began) / 1_000);
  const times = await stormy();
  results.add('storm during p50', percentile(times, 50));
  results.add('storm during p99', percentile(times, 99));
  results.add('storm in flight', observer.mostInFlight);
  report(`${names.length} run`);

  let refused = 0;
  for (const user of [PORTAL_USER, CONTROLLER_USER, BYSTANDER_USER])
    refused += (await audit.since(mark, user)).filter(({ code }) => code === 429).length;
  results.add('storm refused', refused);
  await observer.stop();
  await controller.end();
  await sweep(portal);
}

/** A small request again and again, until it is told to stop; resolves with how long each took, ms. */
function watchOver(transport: Transport): () => Promise<number[]> {
  const times: number[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const began = performance.now();
      await transport.call('GET', '/api/v1/namespaces/default', { timeoutMs: 60_000 });
      times.push(performance.now() - began);
      await delay(EVERY_MS);
    }
  })();
  return async () => {
    isOver = true;
    await asking;
    return times;
  };
}
