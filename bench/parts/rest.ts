/** How many requests a second the REST facade answers, beside a bare HTTP server that sends the same bytes. */
import type { Ground } from '../ground.ts';
import { Observer } from '../observer.ts';
import { runOwnProcess, startOwnProcess } from '../own-process.ts';
import { createMany, createPaced, patienceMs, sweep } from '../portal.ts';
import { cpuMs } from '../processes.ts';
import type { Load } from '../rest-load.ts';
import type { Results } from '../results.ts';

const PER_SECOND = 50;

export async function measureRest(ground: Ground, results: Results): Promise<void> {
  const { controller, portal, flags, report } = ground;
  const { loadMs } = flags.effort;
  await controller.start();
  const observer = new Observer(portal, { pods: false });
  await observer.synced;
  // The first hundred are of "owner-0".
  const names = await createMany(portal, flags.populations[0]!);
  await observer.until(names, 'Running', patienceMs(names.length));

  const load = async (url: string): Promise<Load> => {
    const found = await runOwnProcess<Load>('rest-load.ts', [url, String(loadMs)]);
    if (found.failed > 0) throw new Error(`${found.failed} of ${found.inAll} requests to ${url} failed.`);
    return found;
  };
  const paths = { one: `/workbenches/${names[0]}?user_id=owner-0`, list: '/workbenches?user_id=owner-0' };
  for (const [what, path] of Object.entries(paths)) {
    const url = controller.rest + path;
    const before = cpuMs(controller.process().pid!);
    const { inAll, perSecond, p99 } = await load(url);
    const used = cpuMs(controller.process().pid!) - before;
    results.add(`rest ${what} rate`, perSecond);
    results.add(`rest ${what} p99`, p99);
    results.add(`rest ${what} cpu`, (used * 1_000) / inAll);

    const bare = await startOwnProcess('bare-http.ts', [url]);
    const ceiling = await load(bare.firstLine);
    bare.end();
    results.add(`rest ${what} bare`, ceiling.perSecond);
    results.add(`rest ${what} ratio`, (perSecond / ceiling.perSecond) * 100);

    const [busy, launched] = await Promise.all([load(url), createPaced(portal, PER_SECOND, loadMs)]);
    await observer.until(launched, 'Running', patienceMs(launched.length));
    results.add(`rest ${what} busy p99`, busy.p99);
    report(`GET ${what}: ${Math.round(perSecond)}/s`);
  }
  await observer.stop();
  await controller.end();
  await sweep(portal);
}
