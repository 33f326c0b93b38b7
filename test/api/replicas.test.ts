/** Two replicas: both answer, one acts; when it goes, the other goes on, and what was frozen does nothing when it thaws. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster } from '../cluster/cluster.ts';
import type { AuditEntry, Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { CONTROLLER_USER, install } from '../installation.ts';
import type { Installation } from '../installation.ts';

/** The defaults of the product, so that what is measured is what one gets. */
const DURATION_MS = 15_000;

/** What a controller's log says when it has handed over, and of a pass that could not write to its end. */
const GIVEN_BACK = 'the lease is given back: another replica may act';
const CUT_SHORT = 'will be tried again';

let cluster: Cluster;
const replicas: Record<'a' | 'b', Installation> = {} as never;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  replicas.a = await install(cluster, { env: { POD_NAME: 'replica-a' } });
  replicas.b = await install(cluster, { env: { POD_NAME: 'replica-b' } });
});

afterAll(async () => {
  await Promise.all(Object.values(replicas).map((replica) => replica.end('SIGKILL')));
  await cluster?.stop();
});

interface LeaseSpec {
  holderIdentity: string;
  acquireTime: string;
  renewTime: string;
}

async function lease(): Promise<LeaseSpec> {
  const name = ['workbench-controller-leader', '-n', 'workbench-system'];
  return JSON.parse(await cluster.kubectl(['get', 'lease', ...name, '-o', 'jsonpath={.spec}'])) as LeaseSpec;
}

const holder = async () => (await lease()).holderIdentity;

/** Who acts, and who waits. */
async function roles(): Promise<{ acting: Installation; waiting: Installation; name: string }> {
  const name = await eventually('held', holder, (identity) => identity !== '');
  return name === 'replica-a'
    ? { acting: replicas.a, waiting: replicas.b, name }
    : { acting: replicas.b, waiting: replicas.a, name };
}

/** A workbench that only somebody who acts can bring up. */
async function untilActing({ rest }: Installation): Promise<void> {
  const user = client(rest, 'alice');
  await user.until((await user.create()).workbench_id, 'running');
}

/** Lists through this replica, twenty times a second, until it is told to stop; resolves with what failed. */
function ask({ rest }: Installation): () => Promise<string[]> {
  const stopping = new AbortController();
  const failures: string[] = [];
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      const { status } = await client(rest, 'alice')
        .call('GET')
        .catch((error: unknown) => ({ status: String(error) }));
      if (status !== 200) failures.push(String(status));
      await delay(50);
    }
  })();
  return async () => {
    stopping.abort();
    await asking;
    return failures;
  };
}

const WRITES = ['create', 'update', 'patch', 'delete'];
const isOf =
  (name: string) =>
  ({ userAgent }: AuditEntry) =>
    userAgent?.includes(`(${name})`) === true;
/** What only the one that acts may write; the facade's half is `spec`. */
const isActing = ({ verb, resource, subresource }: AuditEntry) =>
  WRITES.includes(verb) && (resource !== 'workbenches' || subresource !== undefined) && resource !== 'leases';

async function timed(what: string, act: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await act();
  process.stderr.write(`${what}: ${Math.round(performance.now() - began)} ms\n`);
}

test('both answer, and whoever is asked, one of them acts', async () => {
  const { name } = await roles();
  await untilActing(replicas.a);
  await untilActing(replicas.b);
  const writers = (await cluster.audit(CONTROLLER_USER)).filter(isActing).map(({ userAgent }) => userAgent);
  expect(new Set(writers)).toEqual(new Set([`workbench-controller (${name})`]));
});

test('one that is asked to end hands over', async () => {
  const { acting, waiting } = await roles();
  const answered = ask(waiting);
  const asked = Date.now();
  const ended = acting.end();
  await timed('SIGTERM → a workbench runs by the other', () => untilActing(waiting));
  expect(await ended).toBe(0);
  // Given back: nobody had to wait until it ran out, thirteen seconds after this at the earliest.
  expect(Date.parse((await lease()).acquireTime) - asked).toBeLessThan(DURATION_MS - 5_000);
  expect(acting.log().map(({ msg }) => msg)).toContain(GIVEN_BACK);
  expect(await answered()).toEqual([]);
  await acting.start();
});

test('one that is asked to end while a registry keeps a pass waiting cuts it short, and the other finishes it', async () => {
  const asked = Promise.withResolvers<void>();
  // Says nothing: whoever asks waits as long as it ever would.
  const registry = createServer(() => asked.resolve());
  await once(registry.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
  try {
    const { acting, waiting } = await roles();
    // Alone for a moment, so that it is the one that acts when it is back.
    await waiting.end();
    await acting.end();
    const registries = JSON.stringify({ 'slow.example': url });
    await acting.start({ WB_RESOLVE_IMAGES: 'true', WB_REGISTRIES: registries, WORKBENCH_IMAGE: 'slow.example/lab:1' });
    await waiting.start();
    const { workbench_id: id } = await client(waiting.rest, 'alice').create();
    await asked.promise;
    const begun = acting.log().length;
    expect(await acting.end()).toBe(0);
    await client(waiting.rest, 'alice').until(id, 'running');
    const said = acting
      .log()
      .slice(begun)
      .map(({ msg }) => msg);
    // Its pass was not waited for: it came to its first write when nothing might be written any more.
    expect(said).toEqual(expect.arrayContaining([GIVEN_BACK, CUT_SHORT]));
    await acting.start({ WB_RESOLVE_IMAGES: 'false', WB_REGISTRIES: '', WORKBENCH_IMAGE: '' });
  } finally {
    registry.closeAllConnections();
    registry.close();
  }
});

test('one that is killed is followed when its lease has run out, and not before', async () => {
  const { acting, waiting } = await roles();
  const answered = ask(waiting);
  await acting.end('SIGKILL');
  const { renewTime } = await lease();
  await timed('SIGKILL → a workbench runs by the other', () => untilActing(waiting));
  const { acquireTime } = await lease();
  // Two replicas have two clocks, and read them at different moments of a call.
  expect(Date.parse(acquireTime) - Date.parse(renewTime)).toBeGreaterThan(DURATION_MS - 500);
  expect(await answered()).toEqual([]);
  await acting.start();
});

test('one that was frozen for longer than its lease does nothing when it thaws, and waits its turn', async () => {
  const { acting, waiting, name } = await roles();
  const answered = ask(waiting);
  acting.process().kill('SIGSTOP');
  try {
    await timed('SIGSTOP → a workbench runs by the other', () => untilActing(waiting));
    // Something to do for whoever believes that it acts.
    const user = client(waiting.rest, 'alice');
    for (let i = 0; i < 5; i += 1) await user.create();
  } finally {
    acting.process().kill('SIGCONT');
  }
  const thawed = new Date().toISOString();
  await eventually(
    'aware that the lease is lost',
    () => Promise.resolve(acting.log()),
    (lines) => lines.some(({ msg }) => String(msg).startsWith('not acting')),
  );
  // Its cache follows again, so it could act; the other one does.
  await untilActing(acting);
  const late = (await cluster.audit(CONTROLLER_USER))
    .filter(({ at }) => at >= thawed)
    .filter(isOf(name))
    .filter(isActing);
  expect(late).toEqual([]);
  expect(await answered()).toEqual([]);
});
