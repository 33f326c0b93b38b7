import { describe, expect, test } from '@jest/globals';
import { podName } from '../../src/workbench/identity.ts';
import type { Ingress, Pod, Service } from '../../src/workbench/objects.ts';
import { plan } from '../../src/workbench/plan.ts';
import type { Snapshot } from '../../src/workbench/plan.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import type { Settings } from '../../src/workbench/settings.ts';
import {
  DIGEST,
  NOW,
  ingressOf,
  leaving,
  podOf,
  readyPod,
  runningOn,
  secondsAgo,
  serviceOf,
  settings,
  workbench,
} from './sample.ts';

/** "create Pod", "delete Ingress": enough to read a plan by. */
const steps = (snapshot: Snapshot, with_: Partial<Settings> = {}) =>
  plan(snapshot, { ...settings, ...with_ }, NOW).steps.map((step) => `${step.do} ${step.kind}`);
const verdict = (snapshot: Snapshot, with_: Partial<Settings> = {}) =>
  plan(snapshot, { ...settings, ...with_ }, NOW).verdict;
const foreign = <T extends Pod | Service | Ingress>(object: T): T => ({
  ...object,
  metadata: { name: object.metadata.name, uid: 'foreign', ownerReferences: [] },
});

/** As a foreground deletion leaves it until the children are gone. */
const collected = (owner: Workbench): Workbench => {
  const { metadata, ...rest } = leaving(owner);
  return { ...rest, metadata: { ...metadata, finalizers: ['foregroundDeletion'] } };
};

const running = workbench();
const pod = readyPod(running);
const service = serviceOf(running);
const ingress = ingressOf(running);
const settled: Snapshot = { workbench: workbench({}, runningOn(pod)), pods: [pod], service, ingress };

describe('up', () => {
  test('a new workbench gets its Pod first and its Service next, and no path before there is something to open', () => {
    expect(steps({ workbench: running, pods: [] })).toEqual(['create Pod', 'create Service']);
    expect(verdict({ workbench: running, pods: [] })).toMatchObject({ phase: 'Starting' });
  });

  test('a Pod that is not ready waits without a path', () => {
    expect(steps({ workbench: running, pods: [podOf(running)], service })).toEqual([]);
  });

  test('a ready Pod gets its path, and is not called running before the path was seen to lead to it', () => {
    const snapshot: Snapshot = { workbench: running, pods: [pod], service };
    expect(steps(snapshot)).toEqual(['create Ingress']);
    expect(plan(snapshot, settings, NOW)).toMatchObject({
      verdict: { phase: 'Provisioning', reason: 'EndpointPending' },
      verify: { pod, steadyMs: 0 },
    });
  });

  test('the answer of the endpoint makes it running', () => {
    const snapshot: Snapshot = {
      workbench: running,
      pods: [pod],
      service,
      ingress,
      reach: { podUID: pod.metadata.uid!, ok: true },
    };
    expect(verdict(snapshot)).toMatchObject({ phase: 'Running', verifiedAt: new Date(NOW).toISOString() });
  });

  test('an answer that was for another Pod counts nothing', () => {
    const snapshot: Snapshot = {
      workbench: running,
      pods: [pod],
      service,
      ingress,
      reach: { podUID: 'another', ok: true },
    };
    expect(verdict(snapshot)).toMatchObject({ phase: 'Provisioning' });
  });

  test('an endpoint that does not lead to the Pod is a failure with what was seen, and goes on being asked', () => {
    const reach = { podUID: pod.metadata.uid!, ok: false as const, problem: 'It answers 404.' };
    const planned = plan({ workbench: running, pods: [pod], service, ingress, reach }, settings, NOW);
    expect(planned).toMatchObject({
      verdict: { phase: 'Failed', reason: 'EndpointUnreachable', message: 'It answers 404.' },
      verify: { pod, steadyMs: 0 },
    });
  });

  test('a workbench that runs is at rest: nothing to write, nothing to ask', () => {
    expect(plan(settled, settings, NOW)).toMatchObject({ steps: [], verdict: { phase: 'Running' } });
    expect(plan(settled, settings, NOW).verify).toBeUndefined();
    expect(plan(settled, settings, NOW).recheckAfterMs).toBeUndefined();
  });

  test('an address that the admin has moved is asked anew', () => {
    const planned = plan(settled, { ...settings, baseUrl: 'https://other.example' }, NOW);
    expect(planned).toMatchObject({
      verdict: { phase: 'Provisioning', reason: 'EndpointPending' },
      verify: { pod, steadyMs: 0 },
    });
  });

  test('a flap of readiness changes no child; when it is over the endpoint is asked anew', () => {
    const flapping = structuredClone(readyPod(running));
    flapping.status!.conditions = [
      { type: 'PodScheduled', status: 'True' },
      { type: 'Ready', status: 'False' },
    ];
    flapping.status!.containerStatuses![0]!.ready = false;
    const planned = plan({ ...settled, pods: [flapping] }, settings, NOW);
    expect(planned).toMatchObject({
      steps: [],
      verdict: { phase: 'Provisioning', reason: 'NotReady', verifiedAt: secondsAgo(3) },
    });
    expect(planned.verify).toBeUndefined();
    const away = workbench({}, { ...runningOn(pod), phase: 'Provisioning', reason: 'NotReady' });
    const back = plan({ ...settled, workbench: away }, settings, NOW);
    expect(back).toMatchObject({ steps: [], verdict: { reason: 'EndpointPending', verifiedAt: secondsAgo(3) } });
    expect(back.verify!.steadyMs).toBeGreaterThan(2_000);
  });

  test('a process that crashes again and again leaves the path to the page that says why', () => {
    const crashing = structuredClone(readyPod(running));
    crashing.status!.conditions = [{ type: 'Ready', status: 'False' }];
    crashing.status!.containerStatuses![0]!.ready = false;
    crashing.status!.containerStatuses![0]!.state = { waiting: { reason: 'CrashLoopBackOff' } };
    expect(steps({ ...settled, pods: [crashing] })).toEqual(['delete Ingress']);
  });
});

describe('down', () => {
  const stopped = workbench({ state: 'Stopped' }, runningOn(pod));

  test('a stop takes the path and the Pod, and keeps the Service', () => {
    expect(steps({ ...settled, workbench: stopped })).toEqual(['delete Ingress', 'delete Pod']);
    expect(verdict({ ...settled, workbench: stopped })).toMatchObject({ phase: 'Stopping' });
  });

  test('it is stopped when the Pod is gone, not before', () => {
    expect(verdict({ workbench: stopped, pods: [leaving(pod)], service })).toMatchObject({ phase: 'Stopping' });
    expect(steps({ workbench: stopped, pods: [leaving(pod)], service })).toEqual([]);
    expect(verdict({ workbench: stopped, pods: [], service })).toEqual({ phase: 'Stopped' });
  });

  test('nor before the path is gone, which a finalizer of its Ingress controller may hold', () => {
    const held: Snapshot = { workbench: stopped, pods: [], service, ingress: leaving(ingress) };
    expect(plan(held, settings, NOW)).toMatchObject({ steps: [], verdict: { phase: 'Stopping' } });
    expect(verdict({ ...held, ingress: foreign(ingress) })).toEqual({ phase: 'Stopped' });
  });

  test('ROUTE_KEEP keeps the path', () => {
    expect(steps({ ...settled, workbench: stopped }, { routeKeep: true })).toEqual(['delete Pod']);
    expect(verdict({ workbench: stopped, pods: [], service, ingress }, { routeKeep: true })).toEqual({
      phase: 'Stopped',
    });
  });

  test('a workbench that was made stopped gets nothing', () => {
    expect(steps({ workbench: workbench({ state: 'Stopped' }), pods: [] })).toEqual([]);
  });

  test('the deletion of a workbench is left to the garbage collector', () => {
    const going = { ...settled, workbench: collected(settled.workbench!) };
    expect(steps(going)).toEqual([]);
    expect(verdict(going)).toMatchObject({ phase: 'Stopping' });
    expect(plan({ pods: [] }, settings, NOW)).toEqual({ steps: [] });
  });

  test("under somebody else's finalizer nobody else would end the Pod, so it is ended here", () => {
    expect(steps({ ...settled, workbench: leaving(settled.workbench!) })).toEqual(['delete Ingress', 'delete Pod']);
  });

  test('a node that does not confirm is named, and its Pod is forced away only where the admin said so', () => {
    const snapshot: Snapshot = { workbench: stopped, pods: [leaving(pod, 100)], service };
    expect(verdict(snapshot)).toMatchObject({ phase: 'Stopping', reason: 'NodeLost' });
    expect(steps(snapshot)).toEqual([]);
    expect(plan(snapshot, { ...settings, forceDeleteAfterMs: 90_000 }, NOW).steps).toMatchObject([
      { do: 'delete', kind: 'Pod', force: true },
    ]);
    expect(plan(snapshot, { ...settings, forceDeleteAfterMs: 130_000 }, NOW)).toMatchObject({
      steps: [],
      recheckAfterMs: 30_000,
    });
  });
});

describe('again', () => {
  const next = workbench({ run: '2' }, runningOn(pod));

  test('another run first ends the Pod of the one before, and makes the new one only when that is gone', () => {
    expect(steps({ ...settled, workbench: next })).toEqual(['delete Pod', 'delete Ingress']);
    const after: Snapshot = { workbench: next, pods: [leaving(pod)], service };
    expect(steps(after)).toEqual([]);
    expect(verdict(after)).toMatchObject({ phase: 'Pending', reason: 'PredecessorTerminating' });
    expect(steps({ workbench: next, pods: [], service })).toEqual(['create Pod']);
  });

  test('another run pulls the newest image; a replacement in the same run keeps the digest that it had', () => {
    const image = (owner: Workbench) => {
      const [step] = plan({ workbench: owner, pods: [], service }, settings, NOW).steps;
      return step?.do === 'create' ? (step.object as Pod).spec!.containers[0]!.image : undefined;
    };
    expect(image(next)).toBe('registry.example/lab:latest');
    expect(image(settled.workbench!)).toBe(`registry.example/lab@${DIGEST}`);
  });

  test('a digest that is none is not put into a Pod', () => {
    const status = {
      ...runningOn(pod),
      image: { requested: 'registry.example/lab:latest', digest: 'sha256:x/../evil' },
    };
    const [step] = plan({ workbench: workbench({}, status), pods: [], service }, settings, NOW).steps;
    expect(step).toMatchObject({ object: { spec: { containers: [{ image: 'registry.example/lab:latest' }] } } });
  });

  test('a Pod killed by hand comes back, and meanwhile its path leads to the state page', () => {
    expect(steps({ ...settled, pods: [leaving(pod)] })).toEqual(['delete Ingress']);
    expect(verdict({ ...settled, pods: [leaving(pod)] })).toMatchObject({ phase: 'Pending', reason: 'PodTerminating' });
    expect(steps({ ...settled, pods: [] })).toEqual(['create Pod', 'delete Ingress']);
  });

  test('a clock that is behind, or a time that cannot be read, delays no replacement beyond its due', () => {
    const over = podOf(running, { phase: 'Failed', reason: 'Evicted' }, -3_600);
    expect(plan({ workbench: running, pods: [over], service }, settings, NOW).recheckAfterMs).toBe(30_000);
    delete over.metadata.creationTimestamp;
    expect(steps({ workbench: running, pods: [over], service })).toEqual(['delete Pod']);
  });

  test('an evicted Pod is replaced at once, one that ends at once only after half a minute', () => {
    const over = (age: number) => podOf(running, { phase: 'Failed', reason: 'Evicted', message: 'low on memory' }, age);
    expect(steps({ ...settled, pods: [over(100)] })).toEqual(['delete Pod', 'delete Ingress']);
    const young = plan({ workbench: running, pods: [over(10)], service }, settings, NOW);
    expect(young).toMatchObject({ steps: [], verdict: { phase: 'Failed', reason: 'Evicted' }, recheckAfterMs: 20_000 });
  });
});

describe('edits', () => {
  const edited = workbench({ resources: { memory: '4Gi' } });

  test('a Pod that somebody works in keeps running, and the status says that a restart is required', () => {
    const planned = plan({ ...settled, workbench: { ...edited, status: runningOn(pod) } }, settings, NOW);
    expect(planned).toMatchObject({ steps: [], verdict: { phase: 'Running', restartRequired: { reason: 'Edited' } } });
  });

  test("another image of the installation's restarts nobody, and says that the next start will be different", () => {
    const planned = plan(settled, { ...settings, image: 'registry.example/other:latest' }, NOW);
    expect(planned).toMatchObject({ steps: [], verdict: { phase: 'Running', restartRequired: { reason: 'Edited' } } });
    const pinned = {
      ...pod,
      spec: { ...pod.spec!, containers: [{ ...pod.spec!.containers[0]!, image: `registry.example/lab@${DIGEST}` }] },
    };
    expect(verdict({ ...settled, pods: [pinned] })).not.toHaveProperty('restartRequired');
  });

  test('a Pod that was never ready is made anew', () => {
    expect(steps({ workbench: edited, pods: [podOf(running)], service })).toEqual(['delete Pod']);
  });

  test('a Pod that was ready once is kept by an edit, whatever its readiness and the address are now', () => {
    const flapping = podOf(running, { phase: 'Running' });
    const { verifiedAt: _, ...unverified } = runningOn(flapping);
    const owner = workbench({ resources: { memory: '4Gi' } }, unverified);
    expect(steps({ ...settled, workbench: owner, pods: [flapping] })).toEqual([]);
  });

  test('a number and its text are the same size', () => {
    const [one, other] = [workbench({ resources: { cpu: 2 } }), workbench({ resources: { cpu: '2' } })];
    expect(steps({ workbench: other, pods: [podOf(one)], service })).toEqual([]);
  });

  test.each([
    ['an image that is not allowed', { image: 'evil.example/miner:latest' }, 'ImageNotAllowed'],
    ['a reserved variable', { env: [{ name: 'WORKBENCH_OWNER', value: 'bob' }] }, 'ReservedEnvironment'],
  ])('%s starts nothing, and takes nothing from whoever is at work', (_what, spec, reason) => {
    const refused = workbench(spec);
    expect(steps({ workbench: refused, pods: [] })).toEqual([]);
    expect(verdict({ workbench: refused, pods: [] })).toMatchObject({ phase: 'Failed', reason });
    const atWork = plan({ ...settled, workbench: workbench(spec, runningOn(pod)) }, settings, NOW);
    expect(atWork).toMatchObject({ steps: [], verdict: { phase: 'Running', restartRequired: { reason } } });
  });
});

describe('what somebody else did', () => {
  test.each([
    ['Pod', { workbench: running, pods: [foreign(podOf(running))] }],
    ['Service', { workbench: running, pods: [], service: foreign(service) }],
    ['Ingress', { workbench: running, pods: [], ingress: foreign(ingress) }],
  ])('a foreign %s under our name is left alone, and named', (kind, snapshot) => {
    expect(steps(snapshot)).toEqual([]);
    expect(verdict(snapshot)).toMatchObject({ phase: 'Failed', reason: 'NameConflict' });
    expect(verdict(snapshot)!.message).toContain(`${kind} "`);
  });

  test("an earlier namesake's path is waited for; its Pods bear other names and hold nobody up", () => {
    const earlier: Workbench = { ...running, metadata: { ...running.metadata, uid: 'uid-0' } };
    const withPath: Snapshot = { workbench: running, pods: [], ingress: ingressOf(earlier) };
    expect(steps(withPath)).toEqual([]);
    expect(verdict(withPath)).toMatchObject({ phase: 'Pending', reason: 'PredecessorTerminating' });
    const withPod: Snapshot = { workbench: running, pods: [readyPod(earlier)] };
    expect(steps(withPod)).toEqual(['create Pod', 'create Service']);
  });

  test('labels of ours on a stranger do not make it ours, and are named, since the Service would lead to it', () => {
    const stranger = {
      ...foreign(pod),
      metadata: { ...foreign(pod).metadata, name: 'stranger', labels: pod.metadata.labels! },
    };
    expect(steps({ ...settled, workbench: workbench({ state: 'Stopped' }), pods: [stranger, pod] })).toEqual([
      'delete Ingress',
      'delete Pod',
    ]);
    expect(steps({ ...settled, pods: [pod, stranger] })).toEqual([]);
    expect(verdict({ ...settled, pods: [pod, stranger] })).toMatchObject({ phase: 'Failed', reason: 'NameConflict' });
  });

  test('a Pod of ours whose owner reference was edited away is taken back, before anything else is done', () => {
    const orphan = { ...pod, metadata: { ...pod.metadata, ownerReferences: [] } };
    expect(steps({ ...settled, pods: [orphan] })).toEqual(['patch Pod']);
    expect(verdict({ ...settled, pods: [orphan] })).toMatchObject({ phase: 'Running' });
    const stopped = workbench({ state: 'Stopped' });
    expect(steps({ ...settled, workbench: stopped, pods: [orphan] })).toEqual([
      'patch Pod',
      'delete Ingress',
      'delete Pod',
    ]);
    const [step] = plan({ ...settled, pods: [orphan] }, settings, NOW).steps;
    expect(step).toHaveProperty('patch.1.value.0.uid', 'uid-1');
  });

  test('so are a Service and an Ingress, and a Pod of an earlier run; but nothing while the children are being orphaned', () => {
    const bare = <T extends Pod | Service | Ingress>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, ownerReferences: [] },
    });
    expect(steps({ ...settled, service: bare(service), ingress: bare(ingress) })).toEqual([
      'patch Service',
      'patch Ingress',
    ]);
    const next = workbench({ run: '2' });
    expect(steps({ workbench: next, pods: [bare(pod)], service })).toEqual(['patch Pod', 'delete Pod']);
    const orphaning = leaving(workbench());
    orphaning.metadata = { ...orphaning.metadata, finalizers: ['orphan'] };
    expect(steps({ ...settled, workbench: orphaning, pods: [bare(pod)] })).toEqual([]);
  });

  test('an edited selector, port or path is mended, and annotations of others stay', () => {
    const selector = { ...service, spec: { ...service.spec, selector: { app: 'x' } } };
    expect(plan({ ...settled, service: selector }, settings, NOW).steps).toMatchObject([
      {
        do: 'patch',
        kind: 'Service',
        uid: 'service-1',
        patch: [{ path: '/spec/selector', value: service.spec!.selector }],
      },
    ]);
    const annotated = { ...ingress, metadata: { ...ingress.metadata, annotations: { 'cert-manager.io/x': 'y' } } };
    expect(steps({ ...settled, ingress: annotated })).toEqual([]);
    const path = { ...ingress, spec: { ...ingress.spec, rules: [] } };
    expect(plan({ ...settled, ingress: path }, settings, NOW).steps).toMatchObject([
      { do: 'patch', kind: 'Ingress', patch: [{ op: 'add', path: '/spec', value: ingress.spec }] },
    ]);
  });

  test('a Pod whose label was taken is labelled again, or its Service would lose it', () => {
    const bare = { ...pod, metadata: { ...pod.metadata, labels: { app: 'x' } } };
    expect(steps({ ...settled, pods: [bare] })).toEqual(['patch Pod']);
  });

  test('Service and Ingress that were deleted are made again', () => {
    expect(steps({ workbench: settled.workbench!, pods: [pod] })).toEqual(['create Service', 'create Ingress']);
  });
});

test('the name of the Pod follows the run, so that two starts never share one', () => {
  expect(podName(workbench({ run: '1' }))).not.toBe(podName(workbench({ run: '2' })));
  expect(podName(workbench())).toBe(podName(workbench()));
});
