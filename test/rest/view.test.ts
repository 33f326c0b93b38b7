import { describe, expect, test } from '@jest/globals';
import { phaseNow, toItem } from '../../src/rest/view.ts';
import type { Pod } from '../../src/workbench/objects.ts';
import type { Phase, Workbench, WorkbenchSpec, WorkbenchStatus } from '../../src/workbench/resource.ts';
import { DIGEST, leaving, podOf, readyPod, runningOn, secondsAgo, settings, workbench } from '../workbench/sample.ts';

const item = (owner: Workbench, pods: Pod[] = []) => toItem({ workbench: owner, pods }, settings);

type Row = [
  what: string,
  spec: Partial<WorkbenchSpec>,
  status: WorkbenchStatus | undefined,
  phase: Phase,
  isStale: boolean,
];
/** The sample's generation is 3; a status of generation 2 has not seen the last edit. */
const seen = (phase: Phase, run?: string): WorkbenchStatus => ({
  phase,
  observedGeneration: 3,
  ...(run ? { run } : {}),
});
const earlier = (phase: Phase, run?: string): WorkbenchStatus => ({ ...seen(phase, run), observedGeneration: 2 });

const table: Row[] = [
  ['seen by nobody yet', {}, undefined, 'Starting', true],
  [
    'seen by nobody yet, which the default of the CRD says',
    {},
    { phase: 'Starting', observedGeneration: -1, reason: 'NotSeenYet' },
    'Starting',
    true,
  ],
  ['stopped before anybody has seen it', { state: 'Stopped' }, undefined, 'Stopping', true],
  ['running, and the controller knows all', {}, seen('Running'), 'Running', false],
  ['stopped, and the controller knows all', { state: 'Stopped' }, seen('Stopped'), 'Stopped', false],
  ['just told to stop', { state: 'Stopped' }, earlier('Running'), 'Stopping', true],
  ['just told to stop, from Failed', { state: 'Stopped' }, earlier('Failed'), 'Stopping', true],
  ['told to stop once more', { state: 'Stopped' }, earlier('Stopped'), 'Stopped', false],
  ['told to stop once more, on its way down', { state: 'Stopped' }, earlier('Stopping'), 'Stopping', false],
  ['just told to start', { run: '2' }, earlier('Stopped'), 'Starting', true],
  ['just told to start, on its way down', { run: '2' }, earlier('Stopping', '1'), 'Starting', true],
  ['stopped and started before anybody looked', { run: '2' }, earlier('Running', '1'), 'Starting', true],
  ['started afresh from Failed', { run: '2' }, earlier('Failed', '1'), 'Starting', true],
  ['renamed while it runs', { run: '1' }, earlier('Running', '1'), 'Running', false],
  ['edited while it is failed', { run: '1' }, earlier('Failed', '1'), 'Failed', false],
  ['a manifest without a state', { state: undefined } as object, seen('Running'), 'Running', false],
];

describe('the phase as of now', () => {
  test.each(table)('of a workbench %s', (_what, spec, status, phase, isStale) => {
    expect(phaseNow(workbench(spec, status))).toEqual({ phase, isStale });
  });

  test('of a workbench that is being deleted is "stopping" until nothing is left', () => {
    expect(phaseNow(leaving(workbench({}, seen('Running'))))).toEqual({ phase: 'Stopping', isStale: true });
    expect(phaseNow(leaving(workbench({}, seen('Stopping'))))).toEqual({ phase: 'Stopping', isStale: false });
  });
});

describe('an item', () => {
  test('of a workbench that runs says all that is known', () => {
    const spec: Partial<WorkbenchSpec> = { displayName: 'Genome lab', resources: { cpu: 2, gpu: 1 } };
    const owner = workbench(spec);
    const pod = readyPod(owner);
    const running = workbench(spec, { ...runningOn(pod), startedAt: secondsAgo(60) });
    running.metadata.creationTimestamp = secondsAgo(600);
    expect(item(running, [pod])).toEqual({
      user_id: 'alice',
      workbench_id: 'genome',
      workbench_name: 'Genome lab',
      status: 'running',
      public_endpoint: 'https://cloud.example/project/genome',
      image: 'registry.example/lab:latest',
      image_digest: DIGEST,
      requested_cpu: '2',
      requested_memory: '2Gi',
      requested_gpu: 1,
      created_at: secondsAgo(600),
      started_at: secondsAgo(60),
    });
  });

  test('of one that nobody has seen yet leaves out what is unknown', () => {
    expect(item(workbench())).toEqual({
      user_id: 'alice',
      workbench_id: 'genome',
      status: 'starting',
      public_endpoint: 'https://cloud.example/project/genome',
      image: 'registry.example/lab:latest',
      requested_memory: '2Gi',
    });
  });

  test.each(table)('never holds null or undefined: %s', (_what, spec, status) => {
    for (const [name, value] of Object.entries(item(workbench(spec, status)))) {
      expect([name, value]).not.toEqual([name, undefined]);
      expect([name, value]).not.toEqual([name, null]);
    }
  });

  test('says why, while the status still speaks of what is wanted', () => {
    const failed = { ...seen('Failed'), reason: 'Unschedulable', message: 'No node can take the Pod.' };
    expect(item(workbench({}, failed))).toMatchObject({
      status: 'failed',
      status_reason: 'Unschedulable',
      status_message: 'No node can take the Pod.',
    });
  });

  test('does not say why it failed before, once it was told to stop', () => {
    const before = { ...earlier('Failed'), reason: 'Unschedulable', message: 'No node.', startedAt: secondsAgo(9) };
    const stopping = item(workbench({ state: 'Stopped' }, before));
    expect(stopping.status).toBe('stopping');
    for (const name of ['status_reason', 'status_message', 'started_at']) expect(stopping).not.toHaveProperty(name);
  });

  test('does not give the digest of the run before', () => {
    const before = runningOn(readyPod(workbench()));
    expect(item(workbench({ run: '2' }, before))).not.toHaveProperty('image_digest');
  });
});

describe('restart_required', () => {
  const pod = readyPod(workbench());
  const status = runningOn(pod);
  const edit: Partial<WorkbenchSpec> = { resources: { memory: '4Gi' } };

  test.each<[what: string, owner: Workbench, pods: Pod[], expected: true | undefined]>([
    ['is said once an edit waits for the next start', workbench(edit, status), [pod], true],
    ['is not said where the Pod has what is wanted', workbench({}, status), [pod], undefined],
    ['is not said for a name, which needs no restart', workbench({ displayName: 'x' }, status), [pod], undefined],
    ['is not said for a workbench told to stop', workbench({ ...edit, state: 'Stopped' }, status), [pod], undefined],
    ['is not said without a Pod', workbench(edit, status), [], undefined],
    ["is not said of another run's Pod", workbench({ ...edit, run: '2' }, status), [podOf(workbench())], undefined],
  ])('%s', (_what, owner, pods, expected) => {
    expect(item(owner, pods).restart_required).toBe(expected);
  });
});
