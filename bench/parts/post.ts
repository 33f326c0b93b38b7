/** What the REST facade adds to a write: its POST beside the same creation at the API server, in turn, one at a time. */
import { Agent, request } from 'undici';
import type { Ground } from '../ground.ts';
import { Observer } from '../observer.ts';
import { createOne, newNames, sweep } from '../portal.ts';
import type { Results } from '../results.ts';
import { percentile } from '../statistics.ts';

export async function measurePost(ground: Ground, results: Results): Promise<void> {
  const { portal, controller, flags } = ground;
  await controller.start();
  const observer = new Observer(portal, { pods: false });
  await observer.synced;
  const dispatcher = new Agent();

  async function viaRest(): Promise<string> {
    const { statusCode, body } = await request(`${controller.rest}/workbenches?user_id=bench`, {
      method: 'POST',
      dispatcher,
    });
    const { item } = (await body.json()) as { item: { workbench_id: string } };
    if (statusCode !== 201) throw new Error(`POST was answered ${statusCode}.`);
    return item.workbench_id;
  }
  async function direct(): Promise<string> {
    const [name] = newNames(1);
    await createOne(portal, name!);
    return name!;
  }
  async function timed(create: () => Promise<string>): Promise<number> {
    const began = performance.now();
    const name = await create();
    const ms = performance.now() - began;
    // What a launch costs besides must be over before the next is timed.
    await observer.until([name], 'Running');
    return ms;
  }

  // The first of each opens a connection.
  await timed(viaRest);
  await timed(direct);
  const [rest, write]: [number[], number[]] = [[], []];
  for (let round = 0; round < flags.effort.single; round += 1) {
    rest.push(await timed(viaRest));
    write.push(await timed(direct));
  }
  const [post, bare] = [percentile(rest, 50), percentile(write, 50)];
  results.add('201 rest', post);
  results.add('201 write', bare);
  results.add('201 extra', post - bare);

  await dispatcher.close();
  await observer.stop();
  await controller.end();
  await sweep(portal);
}
