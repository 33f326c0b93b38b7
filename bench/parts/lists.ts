/** How long a list takes when nobody else asks. */
import { Agent, request } from 'undici';
import type { Ground } from '../ground.ts';
import type { Results } from '../results.ts';
import { percentile } from '../statistics.ts';

const TIMES = 50;
/** Somebody with a hundred workbenches, and somebody with all the others. */
const OWNERS = { 100: 'owner-0', all: 'everybody' };

export async function measureLists(
  { controller }: Ground,
  results: Results,
  size: number,
  which: (keyof typeof OWNERS)[],
): Promise<void> {
  const dispatcher = new Agent();
  for (const what of which) {
    const times: number[] = [];
    for (let time = 0; time < TIMES; time += 1) {
      const began = performance.now();
      const { body } = await request(`${controller.rest}/workbenches?user_id=${OWNERS[what]}`, { dispatcher });
      await body.bytes();
      times.push(performance.now() - began);
    }
    results.add(`list ${what} ${size}`, percentile(times, 50));
  }
  await dispatcher.close();
}
