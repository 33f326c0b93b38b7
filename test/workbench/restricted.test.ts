/** Whatever authors write, and whatever an administrator's class says: each Pod that is planned for it is restricted. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classSpecSchema } from '../../src/workbench/class.ts';
import type { ClassSpec } from '../../src/workbench/class.ts';
import { isReservedEnv } from '../../src/workbench/env.ts';
import { ANNOTATION_OWNER, claimName } from '../../src/workbench/identity.ts';
import type { Claim, Pod } from '../../src/workbench/objects.ts';
import { plan } from '../../src/workbench/plan.ts';
import { specSchema } from '../../src/workbench/resource.ts';
import type { WorkbenchSpec } from '../../src/workbench/resource.ts';
import { asTheProcessReads, wrongWith } from '../restricted.ts';
import { DIGEST, NOW, settings, workbench } from './sample.ts';

const RUNS = 2_000;

const word = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'a', 'x-1', 'kept', 'root');
const objectName = fc.constantFrom('constructor', 'prototype', 'a..b', 'a');
const text = fc.oneof(
  word,
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom('$(WORKBENCH_URL)', '$$', '$(', '\u202e'),
);
const optional = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

/** What is refused more often than not. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 2, nil: undefined }) as fc.Arbitrary<T>;

const image = fc.constantFrom(
  'registry.example/lab',
  'registry.example/team:v1',
  `registry.example/lab@${DIGEST}`,
  'evil.example/lab',
  'registry.example.evil.com/lab',
  'registry.example/lab/evil:v1',
);
const size = fc.constantFrom(1, '500m', '2Gi', '999999999999999Pi', '0.000000001');
const sizes = optional({ cpu: size, memory: size, gpu: fc.nat(64) });
const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/),
  fc.constantFrom('LD_PRELOAD', 'workbench_id', 'WORKSPACE_PATH'),
);
const env = fc.uniqueArray(fc.record({ name, value: text }), { selector: (one) => one.name, maxLength: 5 });

/** What no schema knows, in the words of Pods: the API server drops it, and nothing here may look at it. */
const smuggled = fc.dictionary(
  fc.constantFrom(
    ...'hostNetwork hostPID hostIPC hostUsers serviceAccountName automountServiceAccountToken securityContext'.split(
      ' ',
    ),
    ...'containers initContainers ephemeralContainers volumes volumeMounts nodeName priorityClassName'.split(' '),
    ...'template podTemplate metadata labels annotations lifecycle envFrom hostAliases __proto__ constructor'.split(
      ' ',
    ),
  ),
  fc.oneof(
    fc.constant(true),
    fc.jsonValue({ maxDepth: 1 }),
    fc.constant([{ name: 'root', hostPath: { path: '/' }, image: 'evil' }]),
  ),
  { noNullPrototype: true },
);

const authors = optional<WorkbenchSpec>({
  owner: text,
  run: text,
  image: rarely(image),
  version: rarely(fc.constantFrom('v1', 'v2', 'constructor')),
  resources: sizes,
  env,
  storage: rarely(optional({ size, claimName: rarely(fc.constantFrom('kept', 'constructor', 'root')) })),
});

const classes = optional<ClassSpec>({
  image: fc.constantFrom('registry.example/class:v1'),
  versions: fc.constant([{ name: 'v1', image: 'registry.example/version:1' }]),
  allowedImages: fc.constantFrom([], ['registry.example/*'], ['registry.example/team:*', 'registry.example/*b']),
  imagePullSecrets: fc.array(fc.record({ name: objectName }), { maxLength: 2 }),
  imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never'),
  port: fc.integer({ min: 1024, max: 65535 }),
  command: fc.array(text, { minLength: 1, maxLength: 3 }),
  args: fc.array(text, { minLength: 1, maxLength: 3 }),
  basePath: fc.constantFrom('Pass', 'Strip'),
  resources: optional({ default: sizes, gpuResource: fc.constantFrom('__proto__', 'cpu', 'amd.com/gpu') }),
  env,
  nodeSelector: fc.dictionary(text, text, { maxKeys: 2, noNullPrototype: true }),
  tolerations: fc.array(optional({ key: text, operator: fc.constantFrom('Exists', 'Equal'), value: text })),
  runtimeClassName: objectName,
  readinessPath: fc.constantFrom('/', '//evil.example/', '/%2e%2e/?x#y'),
  storage: fc.record({ size: fc.constant('1Gi') }),
});

/** That stands where the workbench's own would be, or has the name that its author gives. */
const claimOf = (owner: string | undefined) => (claim: string) => ({
  metadata: {
    name: claim,
    uid: 'claim-1',
    labels: { 'app.kubernetes.io/managed-by': 'workbench-controller' },
    ...(owner === undefined ? {} : { annotations: { [ANNOTATION_OWNER]: owner } }),
  },
});

interface Case {
  spec: Partial<WorkbenchSpec>;
  junk: object;
  found: ClassSpec | undefined;
  foundJunk: object;
  whose: 'nobody' | 'bob' | 'nothing' | 'own';
}

const cases = fc.record<Case>({
  spec: authors,
  junk: smuggled,
  found: fc.option(classes as fc.Arbitrary<ClassSpec>, { nil: undefined }),
  foundJunk: smuggled,
  whose: fc.constantFrom('nobody', 'bob', 'nothing', 'own'),
});

const seen = { made: 0, claims: 0, refused: new Set<string>() };

function play({ spec, junk, found, foundJunk, whose }: Case): void {
  const owner = workbench({ ...junk, ...spec, ...(found ? { class: 'any' } : {}) } as Partial<WorkbenchSpec>);
  const others = { nobody: claimOf(undefined), bob: claimOf('bob'), own: claimOf(owner.spec.owner) };
  const claim = whose === 'nothing' ? undefined : (others[whose](claimName(owner)) as Claim);
  const snapshot = {
    workbench: owner,
    pods: [],
    ...(found ? { class: { metadata: { name: 'any' }, spec: { ...foundJunk, ...found } } } : {}),
    ...(claim ? { claim } : {}),
  };
  const { steps, verdict } = plan(snapshot, { ...settings, stripAnnotations: { a: 'b' } }, NOW);
  const made = steps.filter((step) => step.do === 'create' && step.kind === 'Pod');
  if (verdict?.reason && made.length === 0) seen.refused.add(verdict.reason);
  for (const { object } of made as { object: Pod }[]) {
    seen.made += 1;
    if (object.spec!.volumes?.[0]?.persistentVolumeClaim) seen.claims += 1;
    const allowed = {
      image: (asked: string) => /^registry\.example\/[a-z]+([:@]|$)/.test(asked),
      claim: (mounted: string) =>
        mounted === claimName(owner) && (whose === 'own' || (whose === 'nothing' && !owner.spec.storage?.claimName)),
    };
    expect(wrongWith(object, allowed)).toEqual([]);
    const { owner: user, env: variables = [] } = owner.spec;
    for (const { name: variable, value } of variables.filter((one) => !isReservedEnv(one.name)))
      expect(asTheProcessReads(variable, object)).toBe(value);
    expect(asTheProcessReads('WORKBENCH_OWNER', object)).toBe(user);
  }
}

test(`of ${RUNS} specs and classes, each is refused or makes a Pod that is restricted, with own files and allowed images`, () => {
  fc.assert(fc.property(cases, play), { numRuns: RUNS, seed: Number(process.env.WB_TEST_SEED ?? 1) });
  // None of the ways is so rare that this says nothing of it.
  expect(seen.made).toBeGreaterThan(RUNS / 10);
  expect(seen.claims).toBeGreaterThan(RUNS / 100);
  expect([...seen.refused].toSorted()).toEqual([
    'ImageNotAllowed',
    'NameConflict',
    'ReservedEnvironment',
    'StorageNotAllowed',
    'VersionAndImage',
    'VersionMissing',
    'VolumeMissing',
  ]);
});

test('the classes of that test, and the specs but for reserved variables, are such as the API server takes', () => {
  const isTaken = fc.property(classes, authors, (found, { env: variables, ...spec }) => {
    const isClean = (variables ?? []).every((one) => !isReservedEnv(one.name));
    classSpecSchema.parse({ ...found, env: [] });
    specSchema.parse({ ...spec, owner: 'any', run: '', ...(isClean ? { env: variables } : {}) });
  });
  fc.assert(isTaken, { numRuns: 300, seed: 1 });
});
