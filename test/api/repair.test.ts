/** What goes wrong around a workbench, on a real control plane: it is named, and mends itself when the cause goes. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Client, Item } from '../client.ts';
import { CONTROLLER_USER, install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { eventually } from '../eventually.ts';
import { judge } from '../kstatus.ts';
import { manifest } from '../manifest.ts';
import { quota } from '../quota.ts';
import { LABEL_ID, ingressName, podName, serviceName } from '../../src/workbench/identity.ts';
import type { Ingress, KubeObject, Pod } from '../../src/workbench/objects.ts';
import type { Workbench } from '../../src/workbench/resource.ts';

let cluster: Cluster;
let installation: Installation;
let alice: Client;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster, { env: { WB_UNSCHEDULABLE_AFTER: '3' } });
  alice = client(installation.rest, 'alice');
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
});

const NAMESPACE = ['-n', 'workbenches'];
const kubectl = (args: string[], input?: string) => cluster.kubectl([...args, ...NAMESPACE], input);
const json = async <T>(kind: string, name: string) => JSON.parse(await kubectl(['get', kind, name, '-o', 'json'])) as T;
const read = (name: string) => json<Workbench>('wb', name);

/** The item as soon as it has this reason, and how long that took: the contract gives 10 s. */
async function untilReason(id: string, reason: string): Promise<Item> {
  const began = performance.now();
  const told = await eventually(
    reason,
    () => alice.get(id),
    (item) => item.status_reason === reason,
  );
  process.stderr.write(`${reason}: told after ${Math.round(performance.now() - began)} ms\n`);
  return told;
}

/** A policy or webhook takes effect a moment after it was made. */
async function untilRefused(by: string): Promise<void> {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'asking', labels: { 'app.kubernetes.io/name': 'asking' } },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{ name: 'asking', image: 'asking', securityContext }],
    },
  };
  const answer = () =>
    kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod)).catch((error: unknown) => String(error));
  await eventually(`refused by ${by}`, answer, (said) => said.includes(by));
}

describe('a refusal of the API server', () => {
  afterEach(async () => {
    await kubectl(['delete', 'resourcequota', '--all']);
    await cluster.kubectl([
      'label',
      '--overwrite',
      'namespace',
      'workbenches',
      'pod-security.kubernetes.io/enforce=restricted',
    ]);
  });

  test('a quota is named with what is used and what is hard, and the workbench starts when there is room', async () => {
    await quota(kubectl, 'pods', 0);
    const id = 'crowded';
    await kubectl(['apply', '-f', '-'], manifest(id));
    const item = await untilReason(id, 'QuotaExceeded');
    expect(item.status).toBe('failed');
    expect(item.status_message).toMatch(
      /no quota left for the Pod: exceeded quota: small, requested: pods=1, used: pods=\d+, limited: pods=0\.$/,
    );
    const row = await kubectl(['get', 'wb', id, '--no-headers']);
    expect(row).toMatch(/\sFailed\s+QuotaExceeded\s/);
    expect(judge(cluster, JSON.stringify(await read(id)))).toMatch(/^Failed/);
    await kubectl(['delete', 'resourcequota', 'small']);
    await alice.until(id, 'running');
  });

  test('a Service that is refused is named too, and stop and delete work meanwhile', async () => {
    await quota(kubectl, 'services', 0);
    const { workbench_id: id } = await alice.create();
    expect((await untilReason(id, 'QuotaExceeded')).status_message).toMatch(/for the Service/);
    await alice.stop(id);
    await alice.until(id, 'stopped');
    await alice.call('DELETE', `/${id}`);
    await alice.untilGone(id);
  });

  test('the Pod passes the restricted profile; a policy that refuses it is named', async () => {
    const policy = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'no-ide' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
        validations: [
          {
            expression: "!has(object.metadata.labels) || !('app.kubernetes.io/name' in object.metadata.labels)",
            message: 'no IDE on Tuesdays',
          },
        ],
      },
    };
    const binding = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'no-ide' },
      spec: { policyName: 'no-ide', validationActions: ['Deny'] },
    };
    await cluster.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [policy, binding] }),
    );
    let id = '';
    try {
      await untilRefused('no IDE on Tuesdays');
      id = (await alice.create()).workbench_id;
      const item = await untilReason(id, 'AdmissionRefused');
      expect(item).toMatchObject({ status: 'failed', status_message: expect.stringContaining('no IDE on Tuesdays') });
    } finally {
      await cluster.kubectl(['delete', 'validatingadmissionpolicy/no-ide', 'validatingadmissionpolicybinding/no-ide']);
    }
    await alice.until(id, 'running');
  });
});

test('a right that was taken away is named, and the workbench starts when it is given back', async () => {
  const role = JSON.parse(await kubectl(['get', 'role', CONTROLLER_USER, '-o', 'json'])) as {
    rules: { resources: string[]; verbs: string[] }[];
  };
  const index = role.rules.findIndex(({ resources }) => resources.includes('pods'));
  const grant = (verbs: string[]) =>
    kubectl([
      'patch',
      'role',
      CONTROLLER_USER,
      '--type=json',
      '-p',
      JSON.stringify([{ op: 'replace', path: `/rules/${index}/verbs`, value: verbs }]),
    ]);
  const { verbs } = role.rules[index]!;
  await grant(verbs.filter((verb) => verb !== 'create'));
  await eventually(
    'taken away',
    () => kubectl(['auth', 'can-i', 'create', 'pods', `--as=${CONTROLLER_USER}`]).catch(() => 'no'),
    (answer) => answer.trim() === 'no',
  );
  const { workbench_id: id } = await alice.create();
  const item = await untilReason(id, 'PermissionDenied');
  expect(item.status_message).toMatch(/lacks a right on the Pod: .*cannot create resource "pods"/);
  await grant(verbs);
  await alice.until(id, 'running');
});

describe('a webhook that is down', () => {
  const webhook = (operations: string[], resource: string, url = 'https://127.0.0.1:1/x', more: object = {}) =>
    cluster.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'down' },
        webhooks: [
          {
            name: 'down.example.com',
            clientConfig: { url },
            failurePolicy: 'Fail',
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            rules: [{ apiGroups: ['', 'networking.k8s.io'], apiVersions: ['v1'], operations, resources: [resource] }],
            ...more,
          },
        ],
      }),
    );
  const up = () => cluster.kubectl(['delete', 'validatingwebhookconfiguration', 'down', '--ignore-not-found']);
  afterEach(up);

  test('is named, and the workbench starts when it is up again', async () => {
    await webhook(['CREATE'], 'pods');
    await untilRefused('down.example.com');
    const { workbench_id: id } = await alice.create();
    expect((await untilReason(id, 'AdmissionRefused')).status_message).toContain('down.example.com');
    await up();
    await alice.until(id, 'running');
  });

  test('is retried ever more rarely, whatever it says each time', async () => {
    // The kernel picks another port for each connection, and the API server's sentence names it.
    const resetting = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
    await once(resetting, 'listening');
    try {
      await webhook(['CREATE'], 'pods', `https://127.0.0.1:${(resetting.address() as AddressInfo).port}/x`);
      await untilRefused('down.example.com');
      await untilReason((await alice.create()).workbench_id, 'AdmissionRefused');
      const creations = async () =>
        (await cluster.audit(CONTROLLER_USER)).filter(({ verb, resource }) => verb === 'create' && resource === 'pods')
          .length;
      const before = await creations();
      await delay(5_000);
      expect((await creations()) - before).toBeLessThan(15);
    } finally {
      resetting.close();
    }
  });

  test('and hangs for eight workbenches keeps nobody else waiting for those eight', async () => {
    const held = new Set<Socket>();
    const hanging = createServer((socket) => held.add(socket.on('close', () => held.delete(socket))));
    await once(hanging.listen(0, '127.0.0.1'), 'listening');
    const poisoned = Array.from({ length: 8 }, (_, index) => `poisoned-${index}`);
    const others = Array.from({ length: 20 }, (_, index) => `healthy-${index}`);
    try {
      await webhook(['CREATE'], 'pods', `https://127.0.0.1:${(hanging.address() as AddressInfo).port}/x`, {
        objectSelector: { matchExpressions: [{ key: LABEL_ID, operator: 'In', values: poisoned }] },
      });
      await kubectl(['apply', '-f', '-'], poisoned.map((name) => manifest(name)).join('\n'));
      await eventually(
        'all hanging',
        async () => held.size,
        (size) => size === poisoned.length,
      );
      const hangs = [...held];
      await kubectl(['apply', '-f', '-'], others.map((name) => manifest(name)).join('\n'));
      const coming = others.map((name) => alice.until(name, 'running'));
      await Promise.any(coming);
      // Each is asked about for as long as the lease is held, so for seconds; whoever waited for them would be later.
      expect(hangs.filter((socket) => socket.closed)).toEqual([]);
      await Promise.all(coming);
    } finally {
      hanging.close();
      await up();
      for (const socket of held) socket.destroy();
    }
    await Promise.all(poisoned.map((name) => alice.until(name, 'running')));
    await Promise.all([...poisoned, ...others].map((name) => alice.call('DELETE', `/${name}`)));
  });

  test('keeps no Pod alive that is to stop', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    await webhook(['DELETE'], 'ingresses');
    const refused = () =>
      kubectl(['delete', 'ingress', id, '--dry-run=server']).then(
        () => false,
        () => true,
      );
    await eventually('refusing', refused, Boolean);
    await alice.stop(id);
    const pods = () => kubectl(['get', 'pods', '-l', `workbench.h1st.ai/id=${id}`, '-o', 'name']);
    await eventually('without a Pod', pods, (names) => names === '');
    await untilReason(id, 'AdmissionRefused');
    await up();
    await alice.until(id, 'stopped');
  });
});

describe('no room', () => {
  test('is Pending at once, Failed after the patience of the installation, and says which resource', async () => {
    const { workbench_id: id } = await alice.create({ requested_gpu: 1 });
    const pending = await untilReason(id, 'Unschedulable');
    expect(pending.status_message).toMatch(
      /^No node can take the Pod: 0\/5 nodes are available: 5 Insufficient nvidia\.com\/gpu\.$/,
    );
    await alice.until(id, 'failed');
    await alice.call('PATCH', `/${id}`, { requested_gpu: null });
    await alice.until(id, 'running');
  });
});

describe('an image that is not allowed', () => {
  test('in a manifest is Failed with a sentence; the allowed one starts it', async () => {
    await kubectl(
      ['apply', '-f', '-'],
      '{"apiVersion":"workbench.h1st.ai/v1","kind":"Workbench","metadata":{"name":"miner"},"spec":{"owner":"alice","image":"evil.example/miner"}}',
    );
    const item = await untilReason('miner', 'ImageNotAllowed');
    expect(item).toMatchObject({ status: 'failed', status_message: expect.stringContaining('evil.example/miner') });
    expect(await kubectl(['get', 'pods', '-l', 'workbench.h1st.ai/id=miner', '-o', 'name'])).toBe('');
    await kubectl(['patch', 'wb', 'miner', '--type=merge', '-p', '{"spec":{"image":null}}']);
    await alice.until('miner', 'running');
  });
});

describe("somebody else's object under our name", () => {
  test('is left alone and named; when it goes, the workbench starts', async () => {
    await kubectl(['create', 'ingress', 'taken', '--rule=/elsewhere=nobody:80']);
    const before = await json<{ metadata: { uid: string; resourceVersion: string } }>('ingress', 'taken');
    await kubectl(
      ['apply', '-f', '-'],
      '{"apiVersion":"workbench.h1st.ai/v1","kind":"Workbench","metadata":{"name":"taken"},"spec":{"owner":"alice"}}',
    );
    const item = await untilReason('taken', 'NameConflict');
    expect(item.status_message).toMatch(/^Ingress "taken" exists and belongs to somebody else/);
    const after = await json<{ metadata: { uid: string; resourceVersion: string } }>('ingress', 'taken');
    expect(after.metadata).toEqual(before.metadata);
    await kubectl(['delete', 'ingress', 'taken']);
    await alice.until('taken', 'running');
  });
});

describe('hand edits', () => {
  test('children that were deleted or edited come back as they were; the Pod keeps its run', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    const pod = podName(await read(id));
    const service = (await kubectl(['get', 'services', '-l', `workbench.h1st.ai/id=${id}`, '-o', 'name'])).trim();
    const spec = async (object: string) =>
      JSON.stringify(JSON.parse(await kubectl(['get', object, '-o', 'json'])).spec);
    const wanted = [await spec(service), await spec(`ingress/${id}`)];
    const specs = () => Promise.all([spec(service), spec(`ingress/${id}`)]).catch(() => []);
    const untilMended = () => eventually('mended', specs, (seen) => isDeepStrictEqual(seen, wanted));
    await kubectl(['patch', service, '--type=merge', '-p', '{"spec":{"selector":{"app":"evil"}}}']);
    await untilMended();
    await kubectl([
      'patch',
      `ingress/${id}`,
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/rules/0/http/paths/0/path","value":"/elsewhere"}]',
    ]);
    await untilMended();
    await kubectl(['delete', service, `ingress/${id}`]);
    await untilMended();
    await kubectl(['label', 'pod', pod, 'workbench.h1st.ai/uid-', '--overwrite']);
    const labels = async () => (await json<Pod>('pod', pod)).metadata.labels ?? {};
    await eventually('labelled again', labels, (seen) => 'workbench.h1st.ai/uid' in seen);
    const uid = (await read(id)).status!.podUID;
    // No wait: where a Pod is gone and back within milliseconds, as on simulated nodes, kubectl misses its absence.
    await kubectl(['delete', 'pod', pod, '--wait=false']);
    const isBack = ({ status }: Workbench) => status!.phase === 'Running' && status!.podUID !== uid;
    const after = await eventually('back', () => read(id), isBack);
    expect((await json<{ metadata: { uid: string } }>('pod', pod)).metadata.uid).toBe(after.status!.podUID);
  });

  test("the state page's route comes back too, lowest of all", async () => {
    const route = async () =>
      JSON.parse(await cluster.kubectl(['get', 'ingresses', '-n', 'workbench-system', '-o', 'json'])) as {
        items: Ingress[];
      };
    const [wanted] = (await route()).items;
    expect(wanted!.metadata.annotations).toEqual({ 'traefik.ingress.kubernetes.io/router.priority': '1' });
    expect(wanted!.spec!.rules![0]!.http.paths.map(({ path, pathType }) => `${pathType} ${path}`)).toEqual([
      'Exact /project',
      'Prefix /project/',
    ]);
    const isMended = ({ items: [live] }: { items: Ingress[] }) =>
      live !== undefined && isDeepStrictEqual(live.spec, wanted!.spec);
    await cluster.kubectl(['delete', 'ingress', 'workbench-pages', '-n', 'workbench-system']);
    await eventually('made again', route, isMended);
    await cluster.kubectl([
      'patch',
      'ingress',
      'workbench-pages',
      '-n',
      'workbench-system',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/rules/0/http/paths/0/path","value":"/x"}]',
    ]);
    await eventually('mended', route, isMended);
  });

  test('a child whose owner reference was taken is taken back, and a stranger with our labels is named', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    const workbench = await read(id);
    const pod = podName(workbench);
    for (const [kind, name] of [
      ['pod', pod],
      ['service', serviceName(workbench)],
      ['ingress', ingressName(workbench)],
    ] as const) {
      const patch = '[{"op":"remove","path":"/metadata/ownerReferences"}]';
      await kubectl(['patch', kind, name, '--type=json', '-p', patch]);
      const isOurs = ({ metadata }: KubeObject) => metadata.ownerReferences?.length === 1;
      await eventually(`${kind} adopted`, () => json<KubeObject>(kind, name), isOurs);
    }
    await alice.until(id, 'running');
    const { metadata, spec } = await json<Pod>('pod', pod);
    const copy = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${id}-copy`, labels: metadata.labels },
      spec: { ...spec, nodeName: undefined },
    };
    await kubectl(['apply', '-f', '-'], JSON.stringify(copy));
    expect((await untilReason(id, 'NameConflict')).status_message).toContain(`${id}-copy`);
    await kubectl(['delete', 'pod', `${id}-copy`, '--wait=false']);
    await alice.until(id, 'running');
  });

  test('an edit while readiness flaps takes no Pod that somebody has worked in', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    const before = (await read(id)).status!;
    expect(before.readyAt).toBeDefined();
    await kubectl([
      'patch',
      'pod',
      podName(await read(id)),
      '--subresource=status',
      '--type=strategic',
      '-p',
      '{"status":{"conditions":[{"type":"Ready","status":"False"},{"type":"ContainersReady","status":"False"}]}}',
    ]);
    await alice.until(id, 'provisioning');
    await alice.call('PATCH', `/${id}`, { requested_memory: '128Mi' });
    await kubectl(['wait', 'wb', id, '--for=condition=RestartRequired', '--timeout=120s']);
    expect((await read(id)).status!.podUID).toBe(before.podUID);
  });

  test('an evicted Pod is replaced', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    const before = await read(id);
    await kubectl([
      'patch',
      'pod',
      podName(before),
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory."}}',
    ]);
    await untilReason(id, 'Evicted');
    // A Pod that ended within half a minute is not replaced before: a failing node must not be fed Pods.
    await alice.until(id, 'running');
    expect((await read(id)).status!.podUID).not.toBe(before.status!.podUID);
  });
});

describe('GitOps', () => {
  test('kstatus reads each moment as the contract says', async () => {
    const apply = (spec: object) => kubectl(['apply', '-f', '-'], manifest('flux', spec));
    const kstatus = async () => judge(cluster, JSON.stringify(await read('flux'))).split(' ')[0];
    await apply({});
    await kubectl(['wait', 'wb', 'flux', '--for=condition=Ready', '--timeout=120s']);
    expect(await kstatus()).toBe('Current');
    await apply({ resources: { memory: '1Gi' } });
    await kubectl(['wait', 'wb', 'flux', '--for=condition=RestartRequired', '--timeout=120s']);
    expect([await kstatus(), (await read('flux')).status!.phase]).toEqual(['Current', 'Running']);
    expect(await kubectl(['get', 'wb', 'flux', '-o', 'wide', '--no-headers'])).toMatch(/\sTrue\s*$/);
    await apply({ resources: { memory: '1Gi' }, run: '2' });
    await kubectl(['wait', 'wb', 'flux', '--for=jsonpath={.status.run}=2', '--timeout=120s']);
    await kubectl(['wait', 'wb', 'flux', '--for=condition=Ready', '--timeout=120s']);
    expect((await read('flux')).status!.conditions!.map(({ type }) => type)).toEqual(['Ready']);
    await apply({ state: 'Stopped', run: '2' });
    await kubectl(['wait', 'wb', 'flux', '--for=jsonpath={.status.phase}=Stopped', '--timeout=120s']);
    expect([await kstatus(), (await read('flux')).status!.conditions]).toEqual(['Current', []]);
    await apply({ state: 'Running', image: 'evil.example/x' });
    await kubectl(['wait', 'wb', 'flux', '--for=condition=Stalled', '--timeout=120s']);
    expect(await kstatus()).toBe('Failed');
  });
});
