import { describe, expect, test } from '@jest/globals';
import type { ContainerStatus, PodStatus } from '../../src/workbench/objects.ts';
import { gist } from '../../src/workbench/gist.ts';
import { findingOf, isNodeSilent } from '../../src/workbench/phase.ts';
import type { PhaseContext } from '../../src/workbench/phase.ts';
import { NOW, containerRunning, leaving, podOf, readyPod, secondsAgo, workbench } from './sample.ts';

const context: PhaseContext = { now: NOW, unschedulableAfterMs: 60_000, memoryLimit: '2Gi' };
const scheduled = { type: 'PodScheduled', status: 'True' } as const;

const waiting = (reason: string, message?: string, more: Partial<ContainerStatus> = {}): PodStatus => ({
  phase: 'Pending',
  conditions: [scheduled, { type: 'Ready', status: 'False' }],
  containerStatuses: [
    {
      name: 'workbench',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason, ...(message ? { message } : {}) } },
      ...more,
    },
  ],
});

const ended = (exitCode: number, reason: string, message?: string) => ({
  terminated: { exitCode, reason, ...(message ? { message } : {}) },
});

const unscheduled = (seconds: number): PodStatus => ({
  conditions: [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message:
        '0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 3 No victims.',
      lastTransitionTime: secondsAgo(seconds),
    },
  ],
});

// As a kubelet 1.35 with containerd says it.
const PULL_ERROR =
  'Back-off pulling image "registry.example/lab:latest": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/lab:latest": failed to resolve reference "registry.example/lab:latest": registry.example/lab:latest: not found';

type Row = [
  state: string,
  status: PodStatus,
  previousFailure: string | undefined,
  expected: [phase: string, reason: string, message: RegExp],
];

const table: Row[] = [
  ['nobody has scheduled it yet', { conditions: [] }, undefined, ['Pending', 'Scheduling', /waits for the scheduler/]],
  [
    'no node for ten seconds',
    unscheduled(10),
    undefined,
    [
      'Pending',
      'Unschedulable',
      /^No node can take the Pod: 0\/3 nodes are available: 3 Insufficient nvidia.com\/gpu\.$/,
    ],
  ],
  ['no node for a minute', unscheduled(60), undefined, ['Failed', 'Unschedulable', /Insufficient nvidia.com\/gpu/]],
  [
    'image is being pulled',
    waiting('ContainerCreating'),
    undefined,
    ['Pending', 'ContainerCreating', /pulls the image/],
  ],
  [
    'first pull failed',
    waiting('ErrImagePull', 'rpc error: code = NotFound desc = not found'),
    undefined,
    ['Pending', 'ErrImagePull', /"registry.example\/lab:latest" could not be pulled: not found\.$/],
  ],
  [
    'pull backs off',
    waiting('ImagePullBackOff', PULL_ERROR),
    undefined,
    ['Failed', 'ImagePullBackOff', /could not be pulled: registry.example\/lab:latest: not found\.$/],
  ],
  [
    'pull is retried after a backoff',
    waiting('ErrImagePull', 'not found'),
    'ImagePullBackOff',
    ['Failed', 'ImagePullBackOff', /could not be pulled/],
  ],
  [
    'image name cannot be read',
    waiting('InvalidImageName', 'bad'),
    undefined,
    ['Failed', 'InvalidImageName', /could not be pulled: bad\./],
  ],
  [
    'container cannot be made',
    waiting('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root'),
    undefined,
    ['Failed', 'CreateContainerConfigError', /runAsNonRoot/],
  ],
  [
    'process just crashed',
    waiting('', undefined, { state: ended(1, 'Error', 'boom') }),
    undefined,
    ['Provisioning', 'CrashLoopBackOff', /exit code 1: boom\. It is being restarted\./],
  ],
  [
    'crash loop',
    waiting('CrashLoopBackOff', 'back-off 10s', { restartCount: 2, lastState: ended(1, 'Error', 'no such file') }),
    undefined,
    ['Failed', 'CrashLoopBackOff', /ended with exit code 1: no such file\./],
  ],
  [
    'crashed process runs again for a moment',
    waiting('', undefined, { restartCount: 3, state: { running: {} }, lastState: ended(1, 'Error') }),
    'CrashLoopBackOff',
    ['Failed', 'CrashLoopBackOff', /exit code 1\./],
  ],
  [
    'crashed long ago, and not ready for a moment',
    waiting('', undefined, {
      restartCount: 1,
      state: { running: { startedAt: secondsAgo(600) } },
      lastState: ended(137, 'OOMKilled'),
    }),
    undefined,
    ['Provisioning', 'NotReady', /does not answer on its port yet/],
  ],
  [
    'out of memory, in backoff',
    waiting('CrashLoopBackOff', '', { restartCount: 1, lastState: ended(137, 'OOMKilled') }),
    undefined,
    ['Failed', 'OOMKilled', /out of memory; its limit of 2Gi/],
  ],
  [
    'exit 0, in backoff',
    waiting('CrashLoopBackOff', '', { restartCount: 1, lastState: ended(0, 'Completed') }),
    undefined,
    ['Failed', 'Exited', /exit code 0/],
  ],
  [
    'evicted',
    { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
    undefined,
    ['Pending', 'Evicted', /low on resource: memory\./],
  ],
  [
    'refused by the kubelet',
    { phase: 'Failed', reason: 'OutOfcpu', message: 'Pod was rejected' },
    undefined,
    ['Pending', 'OutOfcpu', /Pod was rejected\./],
  ],
  [
    'node lost',
    {
      phase: 'Running',
      conditions: [scheduled, { type: 'Ready', status: 'False' }, { type: 'ContainersReady', status: 'True' }],
      containerStatuses: [containerRunning],
    },
    undefined,
    ['Pending', 'NodeLost', /node-1 has stopped reporting/],
  ],
  [
    'process runs, port closed',
    waiting('', undefined, { state: { running: {} } }),
    undefined,
    ['Provisioning', 'NotReady', /does not answer on its port yet/],
  ],
];

describe('what a Pod says of itself becomes one phase, one reason and one sentence', () => {
  test.each(table)('%s', (_state, status, previousFailure, [phase, reason, message]) => {
    const finding = findingOf(podOf(workbench(), status), {
      ...context,
      ...(previousFailure ? { previousFailure } : {}),
    });
    expect(finding).toMatchObject({ phase, reason });
    expect(finding!.message).toMatch(message);
    expect(finding!.message).toMatch(/[.!?]$/);
  });

  test('a ready Pod leaves nothing to find, though it crashed once', () => {
    const pod = readyPod(workbench());
    pod.status!.containerStatuses = [{ ...containerRunning, restartCount: 1, lastState: ended(1, 'Error') }];
    expect(findingOf(pod, { ...context, previousFailure: 'CrashLoopBackOff' })).toBeUndefined();
  });

  test('an unscheduled Pod is looked at again when its patience ends', () => {
    expect(findingOf(podOf(workbench(), unscheduled(10)), context)!.recheckAfterMs).toBe(50_000);
    expect(findingOf(podOf(workbench(), unscheduled(-10)), context)!.recheckAfterMs).toBe(60_000);
  });
});

describe('the gist of an error', () => {
  test.each([
    ['is its last line', 'Traceback:\n  x\nValueError: bad port\n', 'ValueError: bad port'],
    ['hides a token in a URL', 'http://x/lab?token=0123456789abcdef', 'http://x/lab?token=[redacted]'],
    ['hides a password', 'PASSWORD: hunter2', 'PASSWORD: [redacted]'],
    [
      'hides credentials of a URL',
      'clone https://bob:pw@git.example/x failed',
      'clone https://[redacted]@git.example/x failed',
    ],
    [
      'hides a variable of the environment',
      'GITHUB_TOKEN=ghp_abc DB_PASS=x',
      'GITHUB_TOKEN=[redacted] DB_PASS=[redacted]',
    ],
    ['hides an argument', 'lab --token s3cr3t --port 1', 'lab --token [redacted] --port 1'],
    ['hides the rest of a header', 'Authorization: Token abc def', 'Authorization: [redacted]'],
    ['hides all cookies', 'Cookie: a=1; session=x', 'Cookie: [redacted]'],
    ['hides a value in quotes', '{"password": "my pass phrase"}', '{"password": [redacted]}'],
    ['hides a password with an @', 'postgres://u:p@x@db/y', 'postgres://[redacted]@db/y'],
    ['leaves words of registries', 'no basic auth credentials', 'no basic auth credentials'],
    ['hides a JWT', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25h', 'got [redacted]'],
    [
      'is bounded, and keeps what it began and ended with',
      `a${'x'.repeat(998)}z`,
      `a${'x'.repeat(147)} … ${'x'.repeat(147)}z`,
    ],
    [
      'is the same at every retry, whatever port the near end had',
      'read tcp 127.0.0.1:52342->127.0.0.1:5000: read: connection reset by peer',
      'read tcp 127.0.0.1:5000: read: connection reset by peer',
    ],
    ['may be empty', undefined, ''],
  ])('%s', (_what, text, expected) => {
    expect(gist(text)).toBe(expected);
  });
});

test('a node is silent when its Pod outlives its own deadline by half a minute', () => {
  const pod = podOf(workbench());
  expect(isNodeSilent(pod, NOW)).toBe(false);
  expect(isNodeSilent(leaving(pod, 29), NOW)).toBe(false);
  expect(isNodeSilent(leaving(pod, 31), NOW)).toBe(true);
});
