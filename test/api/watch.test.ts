/** Watches that never go blind: each way to lose an event or a connection, on a real API server, and how it is made good. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { Collection } from '../../src/kube/collection.ts';
import { connect } from '../../src/kube/connect.ts';
import { KINDS, collectionPath } from '../../src/kube/kinds.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { createTransport } from '../../src/kube/transport.ts';
import type { Transport } from '../../src/kube/transport.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../eventually.ts';
import { applyKind, install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { LONG_LEASE } from '../lease.ts';
import { scrape } from '../scrape.ts';
import { tcpProxy } from '../tcp-proxy.ts';
import type { TcpProxy } from '../tcp-proxy.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated' });
  await applyKind(cluster);
});

afterAll(async () => {
  await cluster?.stop();
});

const workbench = (name: string, owner: string) => ({
  apiVersion: 'workbench.h1st.ai/v1',
  kind: 'Workbench',
  metadata: { name },
  spec: { owner },
});

describe('a reflector', () => {
  const wanted = (name: string, owner = 'eve') =>
    cluster.kubectl(['apply', '-n', 'default', '-f', '-'], JSON.stringify(workbench(name, owner)));

  /** Reflects the Workbenches of a namespace without a controller through a transport that `spoil` has made of a good one, while the test acts. */
  async function reflecting(
    spoil: (transport: Transport) => Transport,
    act: (seen: (check: (owners: Record<string, string>) => boolean) => Promise<unknown>) => Promise<void>,
    relistAfterMs?: number,
  ): Promise<Reflector<Workbench>> {
    const transport = createTransport(connect(cluster.kubeconfig), 'watch-test');
    const stopping = new AbortController();
    const collection = new Collection<Workbench>();
    const reflector = new Reflector<Workbench>({
      info: KINDS.Workbench,
      path: collectionPath('Workbench', 'default'),
      transport: spoil(transport),
      collection,
      signal: stopping.signal,
      onProblem: () => undefined,
      ...(relistAfterMs === undefined ? {} : { relistAfterMs }),
    });
    const ended = reflector.run();
    const owners = () =>
      Object.fromEntries([...collection.values()].map(({ metadata, spec }) => [metadata.name, spec.owner]));
    try {
      await reflector.synced;
      await act((check) => eventually('seen', async () => owners(), check));
    } finally {
      stopping.abort();
      await ended;
      await transport.close();
    }
    return reflector;
  }

  test('that asks from a place which the API server has forgotten is told 410, and lists once more', async () => {
    let asked = 0;
    const { lists } = await reflecting(
      (transport) => ({
        ...transport,
        stream: (path, options) =>
          transport.stream(path, {
            ...options,
            query: { ...options.query, ...(asked++ === 0 ? { resourceVersion: '1' } : {}) },
          }),
      }),
      async (seen) => {
        await wanted('forgotten');
        await seen((owners) => 'forgotten' in owners);
      },
    );
    expect(lists).toEqual({ first: 1, lost: 1, due: 0, asked: 0 });
  });

  test('from which every event of a watch was kept learns of them all when its list has grown old', async () => {
    await wanted('changed');
    await wanted('deleted');
    let watches = 0;
    const { lists, interruptions } = await reflecting(
      (transport) => ({
        ...transport,
        stream: async (path, options) => {
          const body = await transport.stream(path, options);
          return watches++ === 0 ? withoutEvents(body) : body;
        },
      }),
      async (seen) => {
        await wanted('added');
        await wanted('changed', 'mallory');
        await cluster.kubectl(['delete', '-n', 'default', 'wb/deleted']);
        await seen((owners) => owners.added === 'eve' && owners.changed === 'mallory' && !('deleted' in owners));
      },
      3_000,
    );
    expect(lists.lost).toBe(0);
    expect(lists.due).toBeGreaterThan(0);
    expect(interruptions).toBe(0);
  });

  /** The same watch, of which bookmarks alone arrive. */
  function withoutEvents(body: Readable): Readable {
    async function* bookmarks(): AsyncGenerator<string> {
      for await (const line of createInterface({ input: body })) if (line.includes('"BOOKMARK"')) yield `${line}\n`;
    }
    return Readable.from(bookmarks(), { objectMode: false });
  }
});

describe('a controller', () => {
  let proxy: TcpProxy;
  let installation: Installation;

  beforeAll(async () => {
    proxy = await tcpProxy(cluster.server);
    // A new leader lists anew.
    installation = await install(cluster, { server: proxy.url, env: { ...LONG_LEASE, WB_WATCH_SILENCE: '2' } });
  });

  afterAll(async () => {
    await installation?.end();
    await proxy?.close();
  });

  const WATCHES = [...Object.keys(KINDS), 'PageIngress'];
  /** The lease is what the API server goes on answering, so it is to be seen well within these limits. */
  const OFTEN = { WB_LEASE_RETRY: '0.5', WB_LEASE_RENEW_DEADLINE: '12' };
  const livez = async () => {
    const answer = await fetch(`${installation.health}/livez`);
    return `${answer.status} ${(await answer.text()).trim()}`;
  };
  /** Made behind its back, so that only a watch can tell; and seen from there as well. */
  async function untilSeen(name: string): Promise<void> {
    const kubectl = (args: string[], input?: string) => cluster.kubectl([...args, '-n', 'workbenches'], input);
    await kubectl(['apply', '-f', '-'], JSON.stringify(workbench(name, 'eve')));
    await kubectl(['wait', `wb/${name}`, '--for=condition=Ready', '--timeout=120s']);
  }

  test('whose connections are all half-open resumes each watch after its silence, without a new list', async () => {
    const counted = (name: string) => async () => {
      const { value } = await scrape(installation.health);
      return WATCHES.map((kind) => value(`workbench_controller_watch_${name}`, { kind })!);
    };
    // It acts, so what a new leader lists anew is listed; the page's own Ingress may be later. A frozen list waits for half a minute.
    await untilSeen('whole');
    const lists = await eventually('listed', counted('lists_total'), (counts) => counts.every((count) => count > 0));
    proxy.freeze();
    await untilSeen('half-open');
    await eventually('all resumed', counted('interruptions_total'), (counts) => counts.every((count) => count > 0));
    expect(await counted('lists_total')()).toEqual(lists);
  });

  test('whose watches stay blind while the API server answers others says so, and is well after its restart', async () => {
    await installation.end();
    await installation.start({ ...OFTEN, WB_WATCH_SILENCE: '600', WB_BLIND_AFTER: '15' });
    await untilSeen('before');
    expect(await livez()).toBe('200 ok');
    proxy.freeze();
    await eventually('blind', livez, (said) => WATCHES.every((kind) => said.includes(kind)));
    // As a kubelet would.
    expect(await installation.end('SIGTERM')).toBe(0);
    await installation.start();
    expect(await livez()).toBe('200 ok');
    await untilSeen('after');
  });

  test('is not called dead while the API server is away for longer than that, and goes on when it is back', async () => {
    await installation.end();
    await installation.start({ ...OFTEN, WB_WATCH_SILENCE: '2', WB_BLIND_AFTER: '6' });
    proxy.refuse();
    const answers = new Set<string>();
    const age = async () => {
      answers.add(await livez());
      return (await scrape(installation.health)).value('workbench_controller_watch_last_event_age_seconds', {
        kind: 'Pod',
      })!;
    };
    await eventually('away for twice the limit', age, (seconds) => seconds > 12);
    expect([...answers]).toEqual(['200 ok']);
    proxy.accept();
    await untilSeen('back');
  });
});
