import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Admission } from '../../src/controller/admission.ts';
import { Hold } from '../../src/controller/hold.ts';
import { Launches } from '../../src/controller/launches.ts';
import type { Launch } from '../../src/controller/launches.ts';
import { reconcile } from '../../src/controller/reconcile.ts';
import type { ReconcileContext } from '../../src/controller/reconcile.ts';
import { Trouble } from '../../src/controller/trouble.ts';
import { errorFromAnswer } from '../../src/kube/errors.ts';
import type { News } from '../../src/workbench/events.ts';
import type { Snapshot } from '../../src/workbench/plan.ts';
import type { Workbench, WorkbenchStatus } from '../../src/workbench/resource.ts';
import { NOW, ingressOf, readyPod, runningOn, serviceOf, settings, workbench } from '../workbench/sample.ts';

const unavailable = () => errorFromAnswer(503, { message: 'etcd is slow' });
let steady = 0;
beforeEach(() => {
  steady = 1_000;
  jest.spyOn(performance, 'now').mockImplementation(() => steady);
});

/** One workbench, which the cluster itself has as `live`, and a cluster whose writes end as `fail` says. */
function world(snapshot: Snapshot, fail: (what: string) => Error | undefined, live = snapshot.workbench) {
  const published: WorkbenchStatus[] = [];
  const tried: string[] = [];
  const launched: Launch[] = [];
  const told: string[] = [];
  const attempt = async (what: string) => {
    tried.push(what);
    const error = fail(what);
    if (error) throw error;
  };
  const context = {
    store: { snapshot: () => snapshot },
    cluster: {
      get: () => Promise.resolve(live),
      create: (kind: string) => attempt(`create ${kind}`),
      delete: (kind: string) => attempt(`delete ${kind}`),
      patch: (kind: string, _name: string, _uid: string, patch: { value: WorkbenchStatus }[]) =>
        kind === 'Workbench' ? Promise.resolve(published.push(patch[0]!.value)) : attempt(`patch ${kind}`),
    },
    settings,
    admission: new Admission({ siblings: () => [], claimsOf: () => [] }, settings),
    hold: new Hold(),
    launches: new Launches((launch) => launched.push(launch)),
    trouble: new Trouble(),
    verifier: { reach: () => undefined, ask: () => undefined, forget: () => undefined },
    images: {
      resolve: () => Promise.resolve(undefined),
      newest: () => undefined,
      follow: () => undefined,
      forget: () => undefined,
    },
    recorder: { record: (_: Workbench, news: News[]) => told.push(...news.map(({ reason }) => reason)) },
    now: () => NOW,
  } as unknown as ReconcileContext;
  const pass = () =>
    reconcile('genome', context).catch((error: unknown) => error as { withinMs?: number; isRefusal: boolean });
  return { pass, published, tried, launched, told };
}

const pod = readyPod(workbench());
const settled: Snapshot = {
  workbench: workbench({}, runningOn(pod)),
  pods: [pod],
  service: serviceOf(workbench()),
  ingress: ingressOf(workbench()),
};
const stopped: Snapshot = { ...settled, workbench: workbench({ state: 'Stopped' }, runningOn(pod)) };

describe('a child of a running workbench that is not there any more', () => {
  const robbed: Snapshot = { workbench: settled.workbench!, pods: [pod], service: settled.service! };

  test('is made again', async () => {
    const { pass, tried } = world(robbed, () => undefined);
    await pass();
    expect(tried).toEqual(['create Ingress']);
  });

  test('is left to the garbage collector when the cluster has the workbench on its way out', async () => {
    const { metadata, ...rest } = robbed.workbench!;
    const leaving = { ...rest, metadata: { ...metadata, deletionTimestamp: new Date(NOW).toISOString() } };
    const { pass, tried, published } = world(robbed, () => undefined, leaving);
    await pass();
    expect([tried, published]).toEqual([[], []]);
  });
});

describe('a write that fails', () => {
  test('publishes no success that did not happen', async () => {
    const { pass, published } = world({ ...stopped, pods: [] }, (what) =>
      what === 'delete Ingress' ? unavailable() : undefined,
    );
    await pass();
    expect(published).toEqual([]);
  });

  test('is silent for five seconds, then named; and the queue looks again in time for that', async () => {
    const { pass, published } = world({ workbench: workbench(), pods: [] }, (what) =>
      what === 'create Pod' ? unavailable() : undefined,
    );
    expect(await pass()).toMatchObject({ withinMs: 1_000 });
    steady += 6_000;
    await pass();
    steady += 1_100;
    await pass();
    expect(published.at(-1)).toMatchObject({
      phase: 'Pending',
      reason: 'ClusterTrouble',
      message: 'The API server does not create the Pod: etcd is slow. It is tried again.',
    });
  });

  test('keeps nothing alive that is to go, and makes nothing more', async () => {
    const down = world(stopped, (what) => (what === 'delete Ingress' ? unavailable() : undefined));
    await down.pass();
    expect(down.tried).toEqual(['delete Ingress', 'delete Pod']);
    const up = world({ workbench: workbench(), pods: [] }, () => unavailable());
    await up.pass();
    expect(up.tried).toEqual(['create Pod']);
  });

  test('and is refused says so at once', async () => {
    const quota = errorFromAnswer(403, { message: 'pods "x" is forbidden: exceeded quota: small' });
    const { pass, published, launched, told } = world({ workbench: workbench(), pods: [] }, () => quota);
    expect(await pass()).toMatchObject({ isRefusal: true });
    expect(published).toMatchObject([{ phase: 'Failed', reason: 'QuotaExceeded' }]);
    expect(told).toEqual(['Failed']);
    await pass();
    expect(launched).toEqual([{ phase: 'Failed', ms: 0 }]);
  });
});

describe('a launch', () => {
  test('begins with the Pod, and what the making of another child does is none', async () => {
    const up = world({ workbench: workbench(), pods: [] }, () => undefined);
    await up.pass();
    expect(up.launched).toEqual([{ phase: 'Starting', ms: 0 }]);
    const { ingress: _, ...robbed } = settled;
    const mended = world(robbed, () => undefined);
    await mended.pass();
    expect(mended.launched).toEqual([]);
  });
});
