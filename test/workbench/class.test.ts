import { describe, expect, test } from '@jest/globals';
import { refusalOf } from '../../src/workbench/admit.ts';
import { classStamp, settingsFor } from '../../src/workbench/class.ts';
import type { ClassSpec, WorkbenchClass } from '../../src/workbench/class.ts';
import type { Pod } from '../../src/workbench/objects.ts';
import { plan } from '../../src/workbench/plan.ts';
import type { Snapshot } from '../../src/workbench/plan.ts';
import { buildPod, requestedImage, sizes } from '../../src/workbench/pod.ts';
import type { WorkbenchSpec } from '../../src/workbench/resource.ts';
import type { Settings } from '../../src/workbench/settings.ts';
import { NOW, ingressOf, podOf, readyPod, runningOn, serviceOf, settings, workbench } from './sample.ts';

const lab = (spec: ClassSpec): WorkbenchClass => ({ metadata: { name: 'lab' }, spec });
const versions = [
  { name: 'v1', image: 'registry.example/gpu:1' },
  { name: 'v2', image: 'registry.example/gpu:2' },
];

/** The Pod that a workbench of this class gets. */
function podIn(spec: ClassSpec, wishes: Partial<WorkbenchSpec> = {}) {
  const author = workbench({ class: 'lab', ...wishes });
  return buildPod(author, settingsFor(author.spec, lab(spec), settings), { class: lab(spec) });
}

describe('of a class', () => {
  test('a Pod has the image, the place, the port and the command', () => {
    const pod = podIn({
      image: 'registry.example/gpu:latest',
      imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
      imagePullPolicy: 'IfNotPresent',
      port: 9000,
      command: ['lab', '--collaborative'],
      nodeSelector: { pool: 'gpu' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      runtimeClassName: 'gvisor',
      readinessPath: '/api',
    });
    expect(pod.spec).toMatchObject({
      imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
      nodeSelector: { pool: 'gpu' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      runtimeClassName: 'gvisor',
      containers: [
        {
          image: 'registry.example/gpu:latest',
          imagePullPolicy: 'IfNotPresent',
          command: ['lab', '--collaborative'],
          ports: [{ name: 'http', containerPort: 9000 }],
          readinessProbe: { httpGet: { path: '/project/genome/api', port: 9000 } },
        },
      ],
    });
  });

  test("the author's own variables win over the class's, and neither over the controller's", () => {
    const env = [
      { name: 'TEAM', value: 'ml' },
      { name: 'MODE', value: 'usual' },
    ];
    const pod = podIn({ env }, { env: [{ name: 'MODE', value: 'mine' }] });
    expect(pod.spec!.containers[0]!.env.slice(0, 3)).toEqual([
      { name: 'TEAM', value: 'ml' },
      { name: 'MODE', value: 'mine' },
      { name: 'WORKBENCH_ID', value: 'genome' },
    ]);
  });

  test('the Service keeps the port of the installation, so that a class that moves on closes nobody’s page', () => {
    const author = workbench({ class: 'lab' });
    expect(settingsFor(author.spec, lab({ port: 9000 }), settings).port).toBe(settings.port);
    expect(serviceOf(author).spec!.ports).toMatchObject([{ port: settings.port, targetPort: 'http' }]);
  });

  test.each<[what: string, resources: ClassSpec['resources'], wishes: WorkbenchSpec['resources'], sizes: object]>([
    ['the class has no word on it', undefined, undefined, { memory: '2Gi' }],
    [
      'the class has a default',
      { default: { cpu: 2, memory: '8Gi', gpu: 1 } },
      undefined,
      { cpu: '2', memory: '8Gi', 'nvidia.com/gpu': '1' },
    ],
    ['the author names another', { default: { cpu: 2, gpu: 1 } }, { cpu: '1', gpu: 0 }, { cpu: '1', memory: '2Gi' }],
    ['there is a bound and no default: the bound', { max: { cpu: 4 } }, undefined, { cpu: '4', memory: '2Gi' }],
    [
      'the devices have another name',
      { gpuResource: 'amd.com/gpu' },
      { gpu: 2 },
      { memory: '2Gi', 'amd.com/gpu': '2' },
    ],
  ])('sizes: %s', (_what, resources, wishes, expected) => {
    const author = workbench({ class: 'lab', ...(wishes ? { resources: wishes } : {}) });
    expect(sizes(author, settingsFor(author.spec, lab(resources ? { resources } : {}), settings))).toEqual(expected);
  });

  test.each<[what: string, spec: ClassSpec, wishes: Partial<WorkbenchSpec>, image: string]>([
    ['nothing: the installation’s', {}, {}, 'registry.example/lab:latest'],
    ['nothing of its class that has one', { image: 'registry.example/gpu:latest' }, {}, 'registry.example/gpu:latest'],
    ['a version', { image: 'registry.example/gpu:latest', versions }, { version: 'v1' }, 'registry.example/gpu:1'],
    [
      'an image',
      { image: 'registry.example/gpu:latest' },
      { image: 'registry.example/gpu:mine' },
      'registry.example/gpu:mine',
    ],
  ])('the image of who chose %s', (_what, spec, wishes, image) => {
    const author = workbench({ class: 'lab', ...wishes });
    expect(requestedImage(author, settingsFor(author.spec, lab(spec), settings))).toBe(image);
  });
});

describe('what is refused', () => {
  const bounded: ClassSpec = { resources: { min: { cpu: '500m' }, max: { cpu: 4, memory: '16Gi', gpu: 1 } } };
  test.each<
    [
      what: string,
      spec: ClassSpec | undefined,
      wishes: Partial<WorkbenchSpec>,
      reason: string | undefined,
      sentence?: RegExp,
    ]
  >([
    ['a class that is not there', undefined, { class: 'lab' }, 'ClassMissing', /no workbench class "lab"/],
    ['a version without a class', undefined, { version: 'v1' }, 'VersionMissing', /together with a class/],
    [
      'a version that the class has not',
      { versions },
      { class: 'lab', version: 'v3' },
      'VersionMissing',
      /it has v1, v2/,
    ],
    [
      'a version and an image',
      { versions },
      { class: 'lab', version: 'v1', image: 'registry.example/lab:x' },
      'VersionAndImage',
    ],
    ['a version that it has', { versions }, { class: 'lab', version: 'v2' }, undefined],
    [
      'an image of another repository',
      { image: 'registry.example/gpu:latest' },
      { class: 'lab', image: 'registry.example/lab:latest' },
      'ImageNotAllowed',
      /the class "lab" allows/,
    ],
    [
      'another tag of its repository',
      { image: 'registry.example/gpu:latest' },
      { class: 'lab', image: 'registry.example/gpu:1' },
      undefined,
    ],
    [
      'an image that a pattern allows',
      { allowedImages: ['registry.example/team/*'] },
      { class: 'lab', image: 'registry.example/team/x:1' },
      undefined,
    ],
    [
      'more than the class allows',
      bounded,
      { class: 'lab', resources: { cpu: 8 } },
      'SizeNotAllowed',
      /^cpu 8 is more than the 4 that the class "lab" allows/,
    ],
    ['more, in other words', bounded, { class: 'lab', resources: { memory: '17000Mi' } }, 'SizeNotAllowed', /memory/],
    ['less', bounded, { class: 'lab', resources: { cpu: '100m' } }, 'SizeNotAllowed', /less than the 500m/],
    ['a device too many', bounded, { class: 'lab', resources: { gpu: 2 } }, 'SizeNotAllowed', /gpu 2/],
    [
      'the bounds themselves',
      bounded,
      { class: 'lab', resources: { cpu: '4000m', memory: '16Gi', gpu: 1 } },
      undefined,
    ],
    ['no size at all', bounded, { class: 'lab' }, undefined],
  ])('%s', (_what, spec, wishes, reason, sentence = /./) => {
    const { spec: author } = workbench(wishes);
    const found = spec && lab(spec);
    const refusal = refusalOf(author, found, settingsFor(author, found, settings));
    expect(refusal?.reason).toBe(reason);
    if (refusal) expect(refusal.message).toMatch(sentence);
  });
});

describe('a class whose IDE knows no path', () => {
  const strips: Partial<Settings> = { stripAnnotations: { 'example/strip': 'yes' } };
  const author = workbench({ class: 'lab' });
  const stripped = podIn({ basePath: 'Strip', readinessPath: '/health', args: ['--base=$(WORKBENCH_BASE_PATH)'] });
  const seen = { ...readyPod(author), metadata: { ...readyPod(author).metadata, ...stripped.metadata, uid: 'pod-1' } };
  const decide = (spec: ClassSpec, more: Partial<Settings> = {}, pods: Pod[] = []) =>
    plan({ workbench: author, pods, class: lab(spec), service: serviceOf(author) }, { ...settings, ...more }, NOW);
  const routeOf = ({ steps }: ReturnType<typeof plan>) =>
    steps.map((step) => (step.do === 'create' && step.kind === 'Ingress' ? step.object : undefined)).find(Boolean);

  test('tells it that it is at /, and asks it there', () => {
    const [container] = stripped.spec!.containers;
    const value = (name: string) => container!.env!.find((variable) => variable.name === name)?.value;
    expect([value('WORKBENCH_BASE_PATH'), value('JUPYTER_BASE_URL')]).toEqual(['/', '/']);
    expect(value('WORKBENCH_URL')).toBe('https://cloud.example/project/genome');
    expect(container!.readinessProbe).toMatchObject({ httpGet: { path: '/health' } });
    expect(container!.args).toEqual(['--base=$(WORKBENCH_BASE_PATH)']);
  });

  test('is refused where nothing takes the path off', () => {
    expect(decide({ basePath: 'Strip' }).verdict).toMatchObject({
      phase: 'Failed',
      reason: 'StripNotSupported',
      message: expect.stringContaining('INGRESS_STRIP_ANNOTATIONS'),
    });
    expect(decide({ basePath: 'Strip' }, strips).verdict?.reason).toBe('Creating');
  });

  test('has a path that says so, as long as the Pod that was made for it is there', () => {
    for (const spec of [{ basePath: 'Strip' as const }, {}])
      expect(routeOf(decide(spec, strips, [seen]))?.metadata.annotations).toEqual({ 'example/strip': 'yes' });
    expect(routeOf(decide({ basePath: 'Strip' }, strips, [readyPod(author)]))?.metadata.annotations).toBeUndefined();
  });

  test('leaves no such word on a path that is kept for the next Pod', () => {
    const ingress = ingressOf(author);
    const worded = {
      ...ingress,
      metadata: { ...ingress.metadata, annotations: { 'example/strip': 'yes', kept: 'x' } },
    };
    const { steps } = plan(
      { workbench: author, pods: [readyPod(author)], class: lab({}), service: serviceOf(author), ingress: worded },
      { ...settings, ...strips },
      NOW,
    );
    expect(steps.filter(({ kind }) => kind === 'Ingress')).toMatchObject([
      { do: 'patch', patch: [{ path: '/metadata/annotations', value: { kept: 'x' } }] },
    ]);
  });
});

describe('a class that is changed', () => {
  const author = workbench({ class: 'lab' });
  const made = (spec: ClassSpec, isReady: boolean): Snapshot => {
    const pod = isReady ? readyPod(author) : podOf(author);
    const { metadata, spec: podSpec } = podIn(spec);
    const seen = { ...pod, metadata: { ...pod.metadata, annotations: metadata.annotations! }, spec: podSpec! };
    const owner = isReady ? workbench({ class: 'lab' }, runningOn(pod)) : author;
    return { workbench: owner, pods: [seen], service: serviceOf(author) };
  };
  const decide = (snapshot: Snapshot, found: WorkbenchClass | undefined, more: Partial<Settings> = {}) =>
    plan({ ...snapshot, ...(found ? { class: found } : {}) }, { ...settings, verify: 'off', ...more }, NOW);
  const deletesPod = ({ steps }: ReturnType<typeof plan>) =>
    steps.some((step) => step.do === 'delete' && step.kind === 'Pod');

  test.each<[what: string, before: ClassSpec, after: ClassSpec, isDifferent: boolean]>([
    ['its variables', {}, { env: [{ name: 'A', value: '1' }] }, true],
    ['its default size', { resources: { default: { cpu: 1 } } }, { resources: { default: { cpu: 2 } } }, true],
    ['its image', { image: 'registry.example/gpu:1' }, { image: 'registry.example/gpu:2' }, true],
    [
      'what it allows',
      { resources: { default: { cpu: 1, memory: '1Gi' }, max: { cpu: 1 } } },
      { resources: { default: { memory: '1Gi', cpu: 1 }, max: { cpu: 2 } }, allowedImages: ['a'], versions },
      false,
    ],
    ['its description', {}, { description: 'x' }, false],
    ['how much one owner may have of it', {}, { perUser: { running: 1 } }, false],
    ['its arguments', {}, { args: ['--quiet'] }, true],
    ['its path, which it names and does not change', {}, { basePath: 'Pass' }, false],
    ['the order of its words', { nodeSelector: { a: '1', b: '2' } }, { nodeSelector: { b: '2', a: '1' } }, false],
  ])(
    'in %s takes no Pod away that somebody has worked in, and says whether the next start differs',
    (_what, before, after, isDifferent) => {
      const decision = decide(made(before, true), lab(after));
      expect(deletesPod(decision)).toBe(false);
      expect(decision.verdict).toMatchObject({ phase: 'Running' });
      expect(decision.verdict!.restartRequired !== undefined).toBe(isDifferent);
    },
  );

  test('after it has kept a Pod from ever being ready, gets that Pod made anew', () => {
    expect(deletesPod(decide(made({ port: 9000 }, false), lab({ port: 9001 })))).toBe(true);
    expect(deletesPod(decide(made({ port: 9000 }, false), lab({ port: 9000 })))).toBe(false);
  });

  test('by nobody, in a cluster where a webhook puts another reference to the image into each Pod, is no change', () => {
    const image = 'registry.example/gpu:1';
    for (const isReadyPod of [false, true]) {
      const snapshot = made({ image }, isReadyPod);
      const [pod] = snapshot.pods;
      const rewritten = { ...pod!.spec!.containers[0]!, image: `mirror.example/gpu@sha256:${'c'.repeat(64)}` };
      const decision = decide(
        { ...snapshot, pods: [{ ...pod!, spec: { ...pod!.spec!, containers: [rewritten] } }] },
        lab({ image }),
      );
      expect(deletesPod(decision)).toBe(false);
      expect(decision.verdict).not.toHaveProperty('restartRequired');
    }
  });

  test.each<[string | undefined, ClassSpec['resources'], string | undefined]>([
    ['8', { max: { cpu: 4 } }, '4'],
    ['100m', { min: { cpu: '500m' }, max: { cpu: 4 } }, '500m'],
    ['2', { min: { cpu: '500m' }, max: { cpu: 4 } }, '2'],
    [undefined, { max: { cpu: 4 } }, '4'],
    [undefined, { min: { cpu: 1 } }, undefined],
  ])("the installation's default %s within %j is %s", (defaultCpu, resources, cpu) => {
    const installation = { ...settings, ...(defaultCpu === undefined ? {} : { defaultCpu }) };
    expect(settingsFor({}, lab({ resources }), installation).defaultCpu).toBe(cpu);
  });

  test('into nothing stops nobody, and lets nobody start', () => {
    const running = decide(made({ port: 9000 }, true), undefined);
    expect(running.steps.map((step) => `${step.do} ${step.kind}`)).not.toContain('delete Pod');
    expect(running.verdict).toMatchObject({ phase: 'Running', restartRequired: { reason: 'ClassMissing' } });
    const starting = decide({ workbench: author, pods: [] }, undefined);
    expect(starting.steps).toEqual([]);
    expect(starting.verdict).toMatchObject({ phase: 'Failed', reason: 'ClassMissing' });
  });

  test('has no stamp where there is none, so that a Pod of an earlier version of this program is not outdated', () => {
    expect(classStamp(undefined)).toBeUndefined();
    expect(buildPod(workbench(), settings).metadata.annotations).not.toHaveProperty('workbench.h1st.ai/class-stamp');
  });
});
