/** What does not start says why, the same in kubectl and over REST, obeys meanwhile, and starts when the cause goes. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { podName, serviceName } from '../../src/workbench/identity.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { manifest } from '../manifest.ts';
import { quota } from '../quota.ts';
import { tcpProxy } from '../tcp-proxy.ts';
import { pushWorkbenchImage } from '../images/push.ts';
import { open } from './browser.ts';
import { installForReal } from './installation.ts';
import type { RealInstallation } from './installation.ts';
import { mutatingWebhook } from './webhook.ts';

let world: RealInstallation;
let alice: Client;

beforeAll(async () => {
  world = await installForReal({
    WB_ALLOWED_IMAGES: 'localhost:*/*',
    WB_REGISTRY_EVERY: '2',
  });
  alice = client(world.rest, 'alice');
}, 1_800_000);

afterAll(async () => {
  await world?.teardown();
});

const kubectl = (args: string[], input?: string) => world.cluster.kubectl([...args, '-n', 'workbenches'], input);
const read = async (name: string) => JSON.parse(await kubectl(['get', 'wb', name, '-o', 'json'])) as Workbench;
const create = async (body: object = {}) => (await alice.create(body)).workbench_id;

interface Told {
  reason: string | RegExp;
  message: RegExp;
  /** Default: failed. */
  status?: string;
}

/** The same in `kubectl get`, `kubectl describe` and over REST. */
async function untilTold(id: string, { reason, message, status = 'failed' }: Told): Promise<void> {
  const began = performance.now();
  const isIt = new RegExp(`^(${patternOf(reason)})$`);
  const phase = `${status[0]!.toUpperCase()}${status.slice(1)}`;
  // The kubelet may change its word between two readings; in the end all say the same.
  const { seen: item } = await eventually(
    `${status} ${String(reason)}, everywhere`,
    async () => {
      const seen = await alice.get(id);
      const why = String(seen.status_reason);
      if (seen.status !== status || !isIt.test(why)) return { seen, agreed: false };
      const columns = (await kubectl(['get', 'workbenches', id, '--no-headers'])).split(/\s+/).slice(1, 4);
      const description = await kubectl(['describe', 'workbench', id]);
      const agreed =
        isDeepStrictEqual(columns, ['alice', phase, why]) &&
        new RegExp(`Reason: +${why}\n`).test(description) &&
        plain(description).includes(plain(String(seen.status_message)));
      return { seen, agreed, columns };
    },
    ({ agreed }) => agreed,
  );
  process.stderr.write(
    `told after ${Math.round(performance.now() - began)} ms: ${phase} ${String(item.status_reason)}\n`,
  );
  expect(item.status_message).toMatch(message);
  expect(item.status_message).toMatch(/^[A-Z][^\n]*[.!?]$/);
}

const plain = (text: string) => text.replaceAll(/\s+/g, ' ');

const patternOf = (reason: string | RegExp) => (typeof reason === 'string' ? reason : reason.source);

/** Stop, start and delete, while the cause lasts. */
async function obeys(id: string, told: Told): Promise<void> {
  await alice.stop(id);
  await alice.until(id, 'stopped');
  await alice.start(id);
  await untilStuck(id, told);
  await alice.call('DELETE', `/${id}`);
  await alice.untilGone(id);
}

/** As told before, in whatever time the kubelet's or the scheduler's next attempt takes. */
const untilStuck = (id: string, { reason }: Told) =>
  eventually(
    'stuck again',
    () => alice.get(id),
    ({ status_reason: why }) => new RegExp(`^(${patternOf(reason)})$`).test(String(why)),
  );

async function opens(id: string): Promise<void> {
  const { public_endpoint: url } = await alice.until(id, 'running');
  expect(await open(url)).toMatchObject({ status: 200, id });
}

/** The container's reason to wait, as the kubelet has written it. */
const untilPodWaits = (id: string, reason: RegExp) =>
  eventually(
    `waiting: ${reason.source}`,
    () =>
      kubectl([
        'get',
        'pods',
        '-l',
        `workbench.h1st.ai/id=${id}`,
        '-o',
        'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}',
      ]),
    (why) => reason.test(why),
  );

/** An image that keeps two workbenches from running until it is mended; the second is told to stop, start and go meanwhile. */
async function stuckOn(image: string, told: Told, mend: () => unknown): Promise<void> {
  const [id, other] = [await create({ image }), await create({ image })];
  await untilPodWaits(id, new RegExp(patternOf(told.reason)));
  await untilTold(id, told);
  await obeys(other, told);
  await mend();
  await opens(id);
}

describe('an image', () => {
  async function withoutItsProgram(): Promise<void> {
    const to = { registry: world.cluster.registry!, repository: 'broken' };
    const { image } = await pushWorkbenchImage({ ...to, version: 'v1', command: ['/no/such/program'] });
    const reason = /CrashLoopBackOff|RunContainerError|CreateContainerError/;
    await stuckOn(image, { reason, message: /no such file or directory/ }, () =>
      pushWorkbenchImage({ ...to, version: 'v2' }),
    );
  }

  async function withoutItsTag(): Promise<void> {
    const registry = world.cluster.registry!;
    const message = /workbench:later" could not be pulled: .*not found\.$/;
    await stuckOn(`${registry}/workbench:later`, { reason: 'ImagePullBackOff', message }, () =>
      pushWorkbenchImage({ registry, version: 'v1', tag: 'later' }),
    );
  }

  async function withoutItsRegistry(): Promise<void> {
    const registry = await tcpProxy(`http://${world.cluster.registry}`);
    try {
      registry.refuse();
      const image = `localhost:${new URL(registry.url).port}/workbench:latest`;
      const message = /could not be pulled: .*(connection re|EOF)/;
      await stuckOn(image, { reason: 'ImagePullBackOff', message }, () => registry.accept());
    } finally {
      await registry.close();
    }
  }

  // At once: most of it is the kubelet's backoff.
  test('without its program, its tag or its registry', async () => {
    await Promise.all([withoutItsProgram(), withoutItsTag(), withoutItsRegistry()]);
  });
});

test('no room: the resource is named, and the workbench starts when another one has stopped', async () => {
  const allocatable = await world.cluster.kubectl([
    'get',
    'nodes',
    '-o',
    'jsonpath={.items[0].status.allocatable.memory}',
  ]);
  const most = `${Math.floor(Number.parseInt(allocatable, 10) * 0.6)}Ki`;
  const big = await create({ requested_memory: most });
  await alice.until(big, 'running');
  const [id, other] = [await create({ requested_memory: most }), await create({ requested_memory: most })];
  const told = {
    reason: 'Unschedulable',
    message: /^No node can take the Pod: 0\/1 nodes are available: 1 Insufficient memory\.$/,
  };
  await untilTold(id, { ...told, status: 'pending' });
  await world.end();
  await world.start({ WB_UNSCHEDULABLE_AFTER: '3' });
  await untilTold(id, told);
  await obeys(other, told);
  await alice.stop(big);
  await opens(id);
});

describe('the API server refuses', () => {
  afterEach(async () => {
    await kubectl(['delete', 'resourcequota', '--all']);
  });

  test('for a quota: with what is used and what is hard', async () => {
    const running = (await kubectl(['get', 'pods', '-o', 'name'])).split('\n').filter(Boolean).length;
    await quota(kubectl, 'pods', running);
    const id = 'crowded';
    await kubectl(['apply', '-f', '-'], manifest(id));
    const message = new RegExp(
      `exceeded quota: small, requested: pods=1, used: pods=${running}, limited: pods=${running}\\.$`,
    );
    await untilTold(id, { reason: 'QuotaExceeded', message });

    await alice.stop(id);
    await alice.until(id, 'stopped');
    for (const path of ['', `/${id}/start`]) {
      const answer = await alice.call('POST', path);
      expect(answer).toMatchObject({ status: 403, body: { error: { reason: 'QuotaExceeded' } } });
      expect(answer.body.error!.message).toMatch(message);
    }
    await kubectl(['delete', 'quota', 'small']);
    await alice.start(id);
    await opens(id);
  });

  test('for Pod Security, after a webhook of somebody else has made the Pod privileged', async () => {
    const webhook = await mutatingWebhook(world.cluster, [{ op: 'add', path: '/spec/hostNetwork', value: true }]);
    try {
      const [id, other] = [await create(), await create()];
      const told = { reason: 'PodSecurityViolation', message: /restricted.*host namespaces \(hostNetwork=true\)/ };
      await untilTold(id, told);
      await obeys(other, told);
      await webhook.remove();
      await opens(id);
    } finally {
      await webhook.remove();
    }
  });
});

describe("somebody else's object bears the name", () => {
  const stranger = {
    Pod: (name: string, image: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        containers: [
          {
            name: 'theirs',
            image,
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      },
    }),
    Service: (name: string) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: 'theirs' }, ports: [{ port: 80 }] },
    }),
  };

  test.each(['Pod', 'Service'] as const)('of our %s: it is named and left alone until it goes', async (kind) => {
    const ids: string[] = [];
    const uids: string[] = [];
    const get = (name: string) => kubectl(['get', kind, name, '-o', 'jsonpath={.metadata.uid}']);
    const names: string[] = [];
    for (const _ of ['one', 'other']) {
      const name = `taken-${kind.toLowerCase()}-${ids.length}`;
      await kubectl(['apply', '-f', '-'], manifest(name, { state: 'Stopped' }));
      const workbench = await read(name);
      const child = kind === 'Pod' ? podName(workbench) : serviceName(workbench);
      await kubectl(
        ['apply', '-f', '-'],
        JSON.stringify(stranger[kind](child, `${world.cluster.registry}/workbench:latest`)),
      );
      ids.push(name);
      names.push(child);
      uids.push(await get(child));
      await kubectl(['patch', 'wb', name, '--type=merge', '-p', '{"spec":{"state":"Running"}}']);
    }
    const told = (child: string | undefined) => ({
      reason: 'NameConflict',
      message: new RegExp(`^${kind} "${child}" exists and belongs to somebody else`),
    });
    const [id, other] = ids as [string, string];
    const set = (state: string) =>
      kubectl(['patch', 'wb', other, '--type=merge', '-p', `{"spec":{"state":"${state}"}}`]);
    await untilTold(id, told(names[0]));
    await set('Stopped');
    await alice.until(other, 'stopped');
    await set('Running');
    await untilTold(other, told(names[1]));
    await kubectl(['delete', 'wb', other]);
    expect(await Promise.all(names.map(get))).toEqual(uids);
    await kubectl(['delete', kind, ...names, '--grace-period=0', '--force']);
    await opens(id);
  });
});
