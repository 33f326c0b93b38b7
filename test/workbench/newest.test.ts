import { describe, expect, test } from '@jest/globals';
import { ANNOTATION_IMAGE, ANNOTATION_REQUESTED } from '../../src/workbench/identity.ts';
import type { Pod } from '../../src/workbench/objects.ts';
import { plan } from '../../src/workbench/plan.ts';
import type { Snapshot } from '../../src/workbench/plan.ts';
import { buildPod, isOutdated } from '../../src/workbench/pod.ts';
import type { Workbench, WorkbenchStatus } from '../../src/workbench/resource.ts';
import { buildStatus } from '../../src/workbench/status.ts';
import { DIGEST, NOW, readyPod, runningOn, serviceOf, settings as usual, workbench } from './sample.ts';

const settings = { ...usual, verify: 'off' as const, resolvesImages: true };
const LAB = settings.image;
const OTHER = `sha256:${'b'.repeat(64)}`;
const decide = (snapshot: Partial<Snapshot>, more: Partial<typeof settings> = {}) =>
  plan(
    { workbench: workbench(), pods: [], service: serviceOf(workbench()), ...snapshot },
    { ...settings, ...more },
    NOW,
  );
const madePod = ({ steps }: ReturnType<typeof plan>) =>
  steps.map((step) => (step.do === 'create' && step.kind === 'Pod' ? (step.object as Pod) : undefined)).find(Boolean);

describe('a start', () => {
  test('asks the registry before it makes the Pod, with the names of the Secrets that pull', () => {
    const { resolve, verdict, ...decision } = decide({}, { pullSecrets: ['pull'] } as object);
    expect(resolve).toEqual({ image: LAB, secrets: ['pull'] });
    expect(madePod(decision)).toBeUndefined();
    expect(verdict).toMatchObject({ phase: 'Starting' });
  });

  test('runs the digest that the tag stands for, and notes what was asked for', () => {
    const decision = decide({ resolution: { image: LAB, digest: OTHER } });
    const pod = madePod(decision)!;
    expect(decision.resolve).toBeUndefined();
    expect(pod.spec!.containers[0]!.image).toBe(`registry.example/lab@${OTHER}`);
    expect(pod.metadata.annotations).toMatchObject({
      [ANNOTATION_IMAGE]: `registry.example/lab@${OTHER}`,
      [ANNOTATION_REQUESTED]: LAB,
    });
  });

  test('runs the tag where the registry cannot be asked', () => {
    const pod = madePod(decide({ resolution: { image: LAB, digest: undefined } }))!;
    expect(pod.spec!.containers[0]!.image).toBe(LAB);
    expect(pod.metadata.annotations).not.toHaveProperty(ANNOTATION_REQUESTED);
  });

  const running = runningOn(readyPod(workbench()));
  test.each<[what: string, wanted: Workbench, asks: string | undefined, more?: object]>([
    ['an answer about another image', workbench({ image: 'registry.example/lab:v2' }), 'registry.example/lab:v2'],
    ['an image that is a digest', workbench({ image: `registry.example/lab@${DIGEST}` }), undefined],
    ['a replacement in its run', workbench({}, running), undefined],
    ['another run', workbench({ run: '2' }, running), undefined],
    ['a workbench that is to be stopped', workbench({ state: 'Stopped' }), undefined],
    ['an image that is not allowed', workbench({ image: 'elsewhere.example/lab' }), undefined],
    [
      'an administrator who does not want it',
      workbench({ image: 'registry.example/lab:v2' }),
      undefined,
      { resolvesImages: false },
    ],
  ])('with %s asks for %s', (_what, wanted, asks, more = {}) => {
    const resolution = { image: LAB, digest: OTHER };
    const decision = decide({ workbench: wanted, resolution }, more);
    expect(decision.resolve?.image).toBe(asks);
  });

  test('in another run takes what the tag says now, and a replacement what its run had', () => {
    const resolution = { image: LAB, digest: OTHER };
    const image = (wanted: Workbench) => madePod(decide({ workbench: wanted, resolution }))!.spec!.containers[0]!.image;
    expect(image(workbench({ run: '2' }, running))).toBe(`registry.example/lab@${OTHER}`);
    expect(image(workbench({}, running))).toBe(`registry.example/lab@${DIGEST}`);
  });
});

/** A Pod that runs this digest of the tag, and its workbench. */
function run(digest: string, status: Partial<WorkbenchStatus> = {}): { workbench: Workbench; pods: Pod[] } {
  const author = workbench();
  const { metadata, spec } = buildPod(author, settings, { resolution: { image: LAB, digest } });
  const ready = readyPod(author);
  const [container] = ready.status!.containerStatuses!;
  const pod = {
    metadata: { ...ready.metadata, annotations: metadata.annotations! },
    spec: { ...spec!, nodeName: 'node-1' },
    status: { ...ready.status, containerStatuses: [{ ...container!, imageID: `registry.example/lab@${digest}` }] },
  };
  return { workbench: workbench({}, { ...runningOn(pod), image: { requested: LAB, digest }, ...status }), pods: [pod] };
}

describe('what runs', () => {
  test('a digest is what was asked for by its tag, also for who finds the Pod before any status', () => {
    const { pods, workbench: owner } = run(OTHER);
    for (const status of [owner.status, undefined])
      expect(isOutdated(pods[0]!, { ...workbench(), ...(status ? { status } : {}) }, undefined, settings)).toBe(false);
    const decision = decide({ workbench: workbench(), pods });
    const status = buildStatus(workbench(), decision.verdict!, settings, NOW);
    expect(status.image).toEqual({ requested: LAB, digest: OTHER });
    expect(decision.steps.filter(({ kind }) => kind === 'Pod')).toEqual([]);
  });

  test('another tag means a restart', () => {
    const { pods, workbench: owner } = run(OTHER);
    expect(isOutdated(pods[0]!, owner, undefined, { ...settings, image: 'registry.example/lab:v2' })).toBe(true);
  });

  const condition = (status: WorkbenchStatus) => status.conditions?.find(({ type }) => type === 'NewerImage');
  const told = { type: 'NewerImage', status: 'True' as const, reason: 'Pushed', message: 'before' };

  test.each<[what: string, newestDigest: string | undefined, before: object[], says: RegExp | undefined]>([
    [
      'has a newer one',
      DIGEST,
      [],
      /^"registry\.example\/lab:latest" is sha256:aaa\S+ by now; the next start runs it\.$/,
    ],
    ['is the newest', OTHER, [], undefined],
    ['is the newest again, since a push was taken back', OTHER, [told], undefined],
    ['may have a newer one, and nobody has asked yet', undefined, [], undefined],
    ['had a newer one before this replica asked', undefined, [told], /^before$/],
  ])('%s', (_what, newestDigest, conditions, says) => {
    const seen = run(OTHER, { conditions: conditions as never });
    const decision = decide({ ...seen, ...(newestDigest ? { newestDigest } : {}) });
    expect(decision.verdict!.phase).toBe('Running');
    expect(decision.follow).toEqual({ image: LAB });
    const found = condition(buildStatus(seen.workbench, decision.verdict!, settings, NOW));
    if (says) expect(found).toMatchObject({ status: 'True', message: expect.stringMatching(says) });
    else expect(found).toBeUndefined();
  });

  test('of another Pod says nothing of this one', () => {
    const seen = run(OTHER, { conditions: [told], podUID: 'another' });
    expect(condition(buildStatus(seen.workbench, decide(seen).verdict!, settings, NOW))).toBeUndefined();
  });

  test.each<[what: string, image: string, more: object]>([
    ['an image that is a digest', `registry.example/lab@${DIGEST}`, {}],
    ['another image than it would start with', 'registry.example/lab:v2', {}],
    ['any, where nobody is to ask', LAB, { resolvesImages: false }],
  ])('is not followed: %s', (_what, image, more) => {
    const seen = run(OTHER, { conditions: [told] });
    const decision = decide({ ...seen, newestDigest: DIGEST }, { image, ...more });
    expect(decision.follow).toBeUndefined();
    expect(condition(buildStatus(seen.workbench, decision.verdict!, settings, NOW))).toBeUndefined();
  });
});

describe('what fails', () => {
  const LOOPING = { waiting: { reason: 'CrashLoopBackOff' } };
  const failing = (state: object = LOOPING, status: Partial<WorkbenchStatus> = {}) => {
    const { pods, workbench: owner } = run(OTHER);
    const [pod] = pods;
    const [container] = pod!.status!.containerStatuses!;
    const { readyAt: _, ...known } = owner.status!;
    const conditions = pod!.status!.conditions!.map((one) => ({
      ...one,
      status: one.type === 'PodScheduled' ? ('True' as const) : ('False' as const),
    }));
    const down = { ...pod!.status, conditions, containerStatuses: [{ ...container!, ready: false, state }] };
    const image = { requested: LAB, digest: OTHER, unproven: true };
    return { workbench: workbench({}, { ...known, image, ...status }), pods: [{ ...pod!, status: down as never }] };
  };
  const isReplaced = (decision: ReturnType<typeof plan>) =>
    decision.steps.some((step) => step.do === 'delete' && step.kind === 'Pod');

  test('and has never been ready is made anew when something newer was pushed', () => {
    expect(decide({ ...failing(), newestDigest: OTHER }).verdict).toMatchObject({ phase: 'Failed' });
    const decision = decide({ ...failing(), newestDigest: DIGEST });
    expect(isReplaced(decision)).toBe(true);
    expect(decision.verdict).toMatchObject({
      reason: 'Replacing',
      message: 'The Pod is made anew with a newer image.',
    });
  });

  test('and has been ready keeps its Pod and its version', () => {
    const seen = failing(LOOPING, { readyAt: '2026-11-24T11:00:00Z' });
    expect(isReplaced(decide({ ...seen, newestDigest: DIGEST }))).toBe(false);
  });

  test('not, but is on its way up, is left alone however often somebody pushes', () => {
    const creating = failing({ waiting: { reason: 'ContainerCreating' } });
    expect(isReplaced(decide({ ...creating, newestDigest: DIGEST }))).toBe(false);
  });

  test('asks anew, until a Pod of its run has been ready; from then on its version stays', () => {
    const seen = failing();
    const told = (snapshot: Partial<Snapshot>, owner: Workbench) =>
      buildStatus(owner, decide({ workbench: owner, ...snapshot }).verdict!, settings, NOW).image;
    expect(told({ pods: seen.pods }, seen.workbench)).toMatchObject({ digest: OTHER, unproven: true });
    expect(decide({ workbench: seen.workbench }).resolve).toEqual({ image: LAB });

    const ready = run(OTHER);
    const proven = told({ pods: ready.pods }, seen.workbench);
    expect(proven).toEqual({ requested: LAB, digest: OTHER });
    const later = workbench({}, { ...seen.workbench.status, image: proven });
    expect(told({ pods: seen.pods }, later)).toEqual({ requested: LAB, digest: OTHER });
    expect(decide({ workbench: later }).resolve).toBeUndefined();
  });
});
