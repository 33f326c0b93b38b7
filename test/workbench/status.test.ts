import { describe, expect, test } from '@jest/globals';
import type { Phase, WorkbenchStatus } from '../../src/workbench/resource.ts';
import { buildStatus } from '../../src/workbench/status.ts';
import { DIGEST, NOW, readyPod, runningOn, secondsAgo, settings, workbench } from './sample.ts';

const at = '2026-11-24T12:00:00Z';
type Row = [phase: Phase, conditions: Record<string, string>];

describe('each phase has the conditions of the contract', () => {
  test.each<Row>([
    ['Running', { Ready: 'True' }],
    ['Starting', { Ready: 'False', Reconciling: 'True' }],
    ['Pending', { Ready: 'False', Reconciling: 'True' }],
    ['Provisioning', { Ready: 'False', Reconciling: 'True' }],
    ['Stopping', { Ready: 'False', Reconciling: 'True' }],
    ['Stopped', {}],
    ['Failed', { Ready: 'False', Stalled: 'True' }],
  ])('%s', (phase, conditions) => {
    const status = buildStatus(workbench(), { phase, reason: 'Why', message: 'Because.' }, settings, NOW);
    expect(Object.fromEntries(status.conditions!.map(({ type, status: value }) => [type, value]))).toEqual(conditions);
    expect(status).toMatchObject({
      phase,
      observedGeneration: 3,
      publicEndpoint: 'https://cloud.example/project/genome',
    });
    for (const condition of status.conditions!) {
      expect(condition).toMatchObject({ observedGeneration: 3, lastTransitionTime: at, reason: 'Why' });
    }
  });
});

test('a condition keeps its time while its status stays, and gets a new one when it flips', () => {
  const earlier = secondsAgo(60);
  const before = (status: 'True' | 'False'): WorkbenchStatus => ({
    conditions: [{ type: 'Ready', status, lastTransitionTime: earlier }],
  });
  const time = (previous: WorkbenchStatus) =>
    buildStatus(workbench({}, previous), { phase: 'Running' }, settings, NOW).conditions![0]!.lastTransitionTime;
  expect(time(before('True'))).toBe(earlier);
  expect(time(before('False'))).toBe(at);
});

test('the same facts make the same status, whatever the time', () => {
  const pod = readyPod(workbench());
  const first = buildStatus(workbench(), { phase: 'Running', pod, verifiedAt: secondsAgo(1) }, settings, NOW);
  const again = buildStatus(
    workbench({}, first),
    { phase: 'Running', pod, verifiedAt: secondsAgo(1) },
    settings,
    NOW + 99_000,
  );
  expect(again).toEqual(first);
});

describe('the image in the status', () => {
  test('is what was asked for and the digest that the kubelet names', () => {
    const status = buildStatus(workbench(), { phase: 'Running', pod: readyPod(workbench()) }, settings, NOW);
    expect(status.image).toEqual({ requested: 'registry.example/lab:latest', digest: DIGEST });
  });

  test('survives the loss of the Pod, so that its replacement in the same run gets the same digest', () => {
    const previous = runningOn(readyPod(workbench()));
    const status = buildStatus(workbench({}, previous), { phase: 'Starting' }, settings, NOW);
    expect(status.image).toEqual(previous.image);
    const next = buildStatus(workbench({ run: '2' }, previous), { phase: 'Starting' }, settings, NOW);
    expect(next.image).toBeUndefined();
  });

  test('is forgotten once stopped, so that the next start pulls the newest', () => {
    const previous = runningOn(readyPod(workbench()));
    const status = buildStatus(workbench({ state: 'Stopped' }, previous), { phase: 'Stopped' }, settings, NOW);
    expect(status.image).toBeUndefined();
    expect(status.run).toBeUndefined();
  });

  test('has no digest when the kubelet names only a local image id', () => {
    const pod = readyPod(workbench());
    pod.status!.containerStatuses![0]!.imageID = DIGEST;
    const status = buildStatus(workbench(), { phase: 'Running', pod }, settings, NOW);
    expect(status.image).toEqual({ requested: 'registry.example/lab:latest' });
  });
});

test('the digest is that of the IDE, also where a sidecar comes first', () => {
  const pod = readyPod(workbench());
  const [own] = pod.status!.containerStatuses!;
  const sidecar = { ...own!, name: 'istio-proxy', imageID: `registry.example/proxy@sha256:${'d'.repeat(64)}` };
  const both = {
    ...pod,
    status: { ...pod.status, containerStatuses: [sidecar, { ...own!, imageID: `registry.example/lab@${DIGEST}` }] },
  };
  const status = buildStatus(workbench(), { phase: 'Running', pod: both }, settings, NOW);
  expect(status.image?.digest).toBe(DIGEST);
});
