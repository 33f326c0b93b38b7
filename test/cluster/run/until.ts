import { setTimeout as delay } from 'node:timers/promises';
import type { Component } from './component.ts';

/**
 * Asks a readiness question every 50 ms until it is answered with true. Fails at once when the component that should
 * answer has died, so that a newcomer sees its log and not a timeout.
 */
export async function until(
  what: string,
  seconds: number,
  components: Component[],
  ask: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  let last = 'it answered, but not with what was expected';
  for (;;) {
    try {
      if (await ask()) return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    for (const component of components) {
      const failure = component.failure();
      if (failure !== undefined) throw new Error(`The cluster did not start: ${failure}`);
    }
    if (Date.now() > deadline) {
      const logs = components.map((component) => component.log).join(', ');
      throw new Error(`${what} did not come true within ${seconds} s (${last}); look into ${logs}`);
    }
    await delay(50);
  }
}
