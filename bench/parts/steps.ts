/** What each step of a workbench's life costs in writes: one workbench at a time, counted in the API server's log. */
import { CONTROLLER_USER } from '../../test/installation.ts';
import { isControllerWrite, isEvent, isUncachedRead, subjectOf } from '../calls.ts';
import type { Ground } from '../ground.ts';
import { Observer } from '../observer.ts';
import { createOne, deleteOne, newNames, setState, sweep } from '../portal.ts';
import type { Results } from '../results.ts';
import { percentile } from '../statistics.ts';

export async function measureSteps(ground: Ground, results: Results): Promise<void> {
  const { portal, controller, audit, flags } = ground;
  await controller.start();
  const observer = new Observer(portal, { pods: false });
  await observer.synced;
  const names = newNames(flags.effort.single);
  const began = await audit.mark();

  /** The usual number of writes for one workbench: where a phase lasts a second it is one more, and that is no mistake. */
  async function count(what: string, step: (name: string) => Promise<void>): Promise<void> {
    const mark = await audit.mark();
    for (const name of names) await step(name);
    const entries = await audit.since(mark, CONTROLLER_USER);
    const writes = entries.filter(isControllerWrite).map(subjectOf);
    const each = names.map((name) => writes.filter((subject) => subject === name).length);
    results.add(`writes ${what}`, percentile(each, 50));
    if (what === 'create') results.add('events launch', entries.filter(isEvent).length / names.length);
  }

  // The collector of garbage has to find the new kind first; until then a deletion waits, and the status rightly says so.
  const [first] = newNames(1);
  await createOne(portal, first!);
  await observer.until([first!], 'Running');
  await deleteOne(portal, first!);
  await observer.until([first!], 'gone', 120_000);

  await count('create', async (name) => {
    await createOne(portal, name);
    await observer.until([name], 'Running');
  });
  await count('stop', async (name) => {
    await setState(portal, name, { state: 'Stopped' });
    await observer.until([name], 'Stopped');
  });
  await count('again', async (name) => {
    await setState(portal, name, { state: 'Running', run: 'again' });
    await observer.until([name], 'Running');
  });
  await count('delete', async (name) => {
    await deleteOne(portal, name);
    await observer.until([name], 'gone');
  });
  results.add('reads', (await audit.since(began, CONTROLLER_USER)).filter(isUncachedRead).length);
  await observer.stop();
  await controller.end();
  await sweep(portal);
}
