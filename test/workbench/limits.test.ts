import { describe, expect, test } from '@jest/globals';
import { refusalOfUser, storageSeen } from '../../src/workbench/limits.ts';
import type { Sibling, UserLimits } from '../../src/workbench/limits.ts';
import { plan } from '../../src/workbench/plan.ts';
import type { Resources, Workbench, WorkbenchSpec, WorkbenchStatus } from '../../src/workbench/resource.ts';
import { NOW, readyPod, runningOn, secondsAgo, serviceOf, settings, workbench } from './sample.ts';

/** Of age 10 is made ten seconds ago. */
function sibling(
  age: number,
  spec: Partial<WorkbenchSpec> = {},
  more: Partial<Sibling> & { status?: WorkbenchStatus } = {},
): Sibling {
  const made = workbench(spec, more.status);
  const metadata = { ...made.metadata, name: `aged-${age}`, creationTimestamp: secondsAgo(age) };
  return { workbench: { ...made, metadata }, hasPod: more.hasPod ?? false, hasClaim: more.hasClaim ?? false };
}
const up = (age: number, resources: Resources = {}) => sibling(age, { resources }, { hasPod: true });
const waiting = (age: number) => sibling(age);
const stopped = (age: number) => sibling(age, { state: 'Stopped' });

const judge = (limits: UserLimits, others: Sibling[], spec: Partial<WorkbenchSpec> = {}, age = 50) =>
  refusalOfUser(sibling(age, spec), others, { ...settings, userLimits: limits });

describe('who of one owner may start a workbench of a class', () => {
  const inClass = (perUser: object, name = 'gpu') => ({ class: { metadata: { name }, spec: { perUser } } as never });
  const wanted = (perUser: object) => ({
    ...sibling(50, { class: 'gpu', resources: { cpu: 2 } }),
    ...inClass(perUser),
  });
  const others = [
    { ...sibling(90, { class: 'gpu', resources: { cpu: 2 } }, { hasPod: true }), ...inClass({}) },
    { ...sibling(80, { class: 'other', resources: { cpu: 64 } }, { hasPod: true }), ...inClass({}, 'other') },
    up(70, { cpu: 64 }),
  ];

  test.each<[what: string, perUser: object, message: string | undefined]>([
    ['as many run as may', { running: 1 }, 'run 1 workbenches of the class "gpu" at once, and 1 come first.'],
    ['one more may run', { running: 2 }, undefined],
    ['there are as many as may be', { workbenches: 1 }, 'have 1 workbenches of the class "gpu", and has 1 older ones.'],
    ['there is enough left', { cpu: 4 }, undefined],
    [
      'there is not enough left',
      { cpu: 3 },
      'take 3 of cpu at once with workbenches of the class "gpu"; the others take 2, and this one asks for 2.',
    ],
    ['nothing is said', {}, undefined],
  ])('%s: those of other classes do not count', (_what, perUser, message) => {
    expect(refusalOfUser(wanted(perUser), others, settings)?.message).toBe(message && `The owner may ${message}`);
  });

  test('what the installation allows holds beside it', () => {
    const refusal = refusalOfUser(wanted({ running: 9 }), others, { ...settings, userLimits: { running: 3 } });
    expect(refusal?.message).toBe('The owner may run 3 workbenches at once, and 3 come first.');
  });
});

describe('who of one owner may start', () => {
  test.each<[what: string, limits: UserLimits, others: Sibling[], message: RegExp | undefined]>([
    ['alone', { running: 1 }, [], undefined],
    ['beside as many as may run', { running: 2 }, [up(10), up(90)], /run 2 workbenches at once, and 2 come first/],
    ['beside one less', { running: 2 }, [up(10)], undefined],
    ['an older one that waits as well comes first', { running: 1 }, [waiting(90)], /1 come first/],
    ['a younger one that waits as well does not', { running: 1 }, [waiting(10)], undefined],
    ['a younger one that runs keeps its place', { running: 1 }, [up(10)], /1 come first/],
    ['stopped ones take no place', { running: 1 }, [stopped(10), stopped(90)], undefined],
    [
      'stopped ones count as workbenches if they are older',
      { workbenches: 2 },
      [stopped(80), up(90)],
      /have 2 workbenches/,
    ],
    ['younger ones do not', { workbenches: 2 }, [stopped(10), up(20)], undefined],
    ['none may run', { running: 0 }, [], /run 0 workbenches/],
  ])('%s', (_what, limits, others, message) => {
    const refusal = judge(limits, others);
    expect(refusal?.reason).toBe(message && 'UserLimit');
    if (message) expect(refusal!.message).toMatch(message);
  });

  test.each<[what: string, limits: UserLimits, others: Resources[], resources: Resources, message: RegExp | undefined]>(
    [
      ['cpu that is left', { cpu: '4' }, [{ cpu: '2500m' }], { cpu: '1500m' }, undefined],
      [
        'more cpu than is left',
        { cpu: '4' },
        [{ cpu: 2 }, { cpu: '1' }],
        { cpu: '2' },
        /take 4 of cpu at once; the others take 3, and this one asks for 2/,
      ],
      ['memory, by its default', { memory: '5Gi' }, [{}, {}], {}, /the others take 4Gi, and this one asks for 2Gi/],
      ['no cpu named', { cpu: '4' }, [], {}, /must say how much/],
      ['GPUs', { gpu: 1 }, [{ gpu: 1 }], { gpu: 1 }, /gpu/],
      ['none of a GPU that another has', { gpu: 1 }, [{ gpu: 1 }], {}, undefined],
    ],
  )('%s', (_what, limits, others, resources, message) => {
    const refusal = judge(
      limits,
      others.map((size, index) => up(index + 1, size)),
      { resources },
    );
    expect(refusal?.message ?? '').toMatch(message ?? /^$/);
  });

  const lost: WorkbenchStatus = { ...runningOn(readyPod(workbench())), phase: 'Pending', reason: 'PodTerminating' };
  delete lost.podUID;

  test('a place is kept for one whose Pod was lost, before all that only wait', () => {
    const limits = { running: 1 };
    const unlucky = sibling(10, {}, { status: lost });
    const waiter = sibling(50, {}, { status: { phase: 'Failed', reason: 'UserLimit' } });
    const judged = (one: Sibling, other: Sibling) => refusalOfUser(one, [other], { ...settings, userLimits: limits });
    expect(judged(waiter, unlucky)?.reason).toBe('UserLimit');
    expect(judged(unlucky, waiter)).toBeUndefined();
    expect(judged(unlucky, up(90))?.reason).toBe('UserLimit');
  });

  test('an older one that has failed of itself keeps nobody waiting', () => {
    const failed = sibling(90, {}, { status: { phase: 'Failed', reason: 'ClassMissing' } });
    expect(judge({ running: 1 }, [failed])).toBeUndefined();
  });

  test('one that is not there yet is the youngest', () => {
    const { creationTimestamp: _, ...metadata } = workbench().metadata;
    const wanted = { workbench: { metadata, spec: workbench().spec } as Workbench };
    expect(refusalOfUser(wanted, [stopped(0)], { ...settings, userLimits: { workbenches: 1 } })?.reason).toBe(
      'UserLimit',
    );
  });
});

describe('over a limit', () => {
  const overLimit = { reason: 'UserLimit', message: 'x' };

  test('nothing is made, the reason is said, and it is asked again', () => {
    const decision = plan({ workbench: workbench(), pods: [], overLimit }, settings, NOW);
    expect(decision.steps).toEqual([]);
    expect(decision.verdict).toMatchObject({ phase: 'Failed', reason: 'UserLimit' });
    expect(decision.recheckAfterMs).toBeLessThanOrEqual(10_000);
  });

  test('what runs goes on', () => {
    const pod = readyPod(workbench());
    const running = workbench({}, runningOn(pod));
    const snapshot = { workbench: running, pods: [pod], service: serviceOf(running), overLimit };
    expect(plan(snapshot, { ...settings, verify: 'off' }, NOW).verdict).toMatchObject({ phase: 'Running' });
  });
});

describe('the storage of one owner', () => {
  const GIBI = 2 ** 30;
  const volume = (name: string, size: string, ofClass?: string) => ({
    metadata: { name, ...(ofClass ? { annotations: { 'workbench.h1st.ai/class': ofClass } } : {}) },
    spec: { resources: { requests: { storage: size } } },
  });
  const volumes = () => [volume('a', '1Gi', 'gpu'), volume('b', '2Gi', 'other'), volume('c', '4Gi')];
  const never = () => {
    throw new Error('not asked for');
  };
  const wanted = (perUser: object) => ({
    ...sibling(50, { class: 'gpu' }),
    class: { metadata: { name: 'gpu' }, spec: { perUser } } as never,
  });

  test('is counted over all its volumes, and over those of a class, each where there is a limit', () => {
    const limited = { ...settings, userLimits: { storage: '100Gi' } };
    expect(storageSeen(wanted({}), never, never, settings)).toEqual({});
    expect(storageSeen(wanted({}), () => [], volumes, limited)).toEqual({ storageTaken: 7 * GIBI });
    expect(storageSeen(wanted({ storage: '9Gi' }), () => [], volumes, settings)).toEqual({ storageTakenOfClass: GIBI });
    expect(storageSeen(wanted({ storage: 9 }), () => [], volumes, limited)).toEqual({
      storageTaken: 7 * GIBI,
      storageTakenOfClass: GIBI,
    });
  });
});
