/** An installation of an earlier version is upgraded under people's hands: no process of theirs ends, no page is lost. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { untilActing } from '../lease.ts';
import { manifest } from '../manifest.ts';
import { earlierVersion } from '../upgrade/earlier.ts';
import { open } from './browser.ts';
import { installForReal, smallWorkbenches } from './installation.ts';
import type { RealInstallation } from './installation.ts';
import { processOf } from './processes.ts';
import { witness } from './truth.ts';

let world: RealInstallation;
let later: Installation | undefined;

beforeAll(async () => {
  world = await installForReal({ POD_NAME: 'earlier' }, {}, earlierVersion);
}, 1_800_000);

afterAll(async () => {
  await later?.end();
  await world?.teardown();
});

const kubectl = (args: string[], input?: string) => world.cluster.kubectl([...args, '-n', 'workbenches'], input);
const isRunning = async (alice: Client, id: string) => (await alice.get(id)).status === 'running';

test('each workbench is the same process in the same Pod, and what it kept is there; its page opens all through', async () => {
  const before = client(world.rest, 'alice');
  await kubectl(['apply', '-f', '-'], manifest('by-hand'));
  const ids = ['by-hand', (await before.create()).workbench_id];
  const items = await Promise.all(ids.map((id) => before.until(id, 'running')));
  for (const { public_endpoint: url } of items) await fetch(`${url}/files/note.txt`, { method: 'PUT', body: 'kept' });
  const state = async () => {
    const pages = await Promise.all(items.map(({ public_endpoint: url }) => open(url)));
    return { pods: pages.map(({ pod }) => pod), processes: ids.map(processOf) };
  };
  const there = await state();
  const { cluster } = world;
  const truths = items.map(({ public_endpoint: url }, index) => witness(before, ids[index]!, url));

  // As ./deploy.sh and a rolling update do it: kinds and Roles first, then the new program beside the old one.
  later = await install(cluster, { env: { ...smallWorkbenches(cluster.registry!), POD_NAME: 'later' } });
  const said = await Promise.all(truths.map((truth) => truth.testify()));
  expect(said.map(({ untruths }) => untruths)).toEqual([[], []]);
  await world.end();
  await untilActing(later);

  const after = client(later.rest, 'alice');
  for (const id of ids) expect([id, await isRunning(after, id)]).toEqual([id, true]);
  expect(await state()).toEqual(there);
  for (const { public_endpoint: url } of items) expect((await open(`${url}/files/note.txt`)).text).toBe('kept');

  const digest = await world.push('v2');
  for (const id of ids) {
    await after.stop(id);
    await after.until(id, 'stopped');
    await after.start(id);
    expect(await after.until(id, 'running')).toMatchObject({ image_digest: digest });
  }
  expect((await open(items[0]!.public_endpoint)).version).toBe('v2');
});
