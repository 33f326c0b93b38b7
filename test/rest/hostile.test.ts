/** Bodies as nobody writes them by mistake: what is taken is what the custom resource takes, and what is not is one short sentence. */
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkEnv, createSchema, parseBody, patchSchema, specAfter, specFrom } from '../../src/rest/body.ts';
import { Problem } from '../../src/rest/problem.ts';
import { userFrom } from '../../src/rest/user.ts';
import { isUser } from '../../src/workbench/resource.ts';
import { specSchema } from '../../src/workbench/resource.ts';

const FIELDS = Object.keys(createSchema.shape);
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'owner',
  'state',
  'name',
  'value',
  'size',
  'volume_id',
];
const SIZES = ['0', '0.0Gi', '1e3', '-1', '1.5', '500m', '9'.repeat(40), '4Gi', 1e308, -0, 5e-324, 2 ** 53, 0.1 + 0.2];

const key = fc.oneof(fc.constantFrom(...FIELDS, ...NAMES), fc.string({ unit: 'binary' }));
const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', '\ud800', 'a\u0000b', '\u2028', '../..', '$(PATH)', ...SIZES, ...NAMES),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.integer(),
);
/** Of any kind, and as deep as it likes. */
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { depthSize: 'medium' },
    leaf,
    fc.array(tie('anything'), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie('anything')), { maxLength: 5 }).map(object),
  ),
}));
/** Nearly right, so that much of it is taken. */
const mostly = (good: unknown[], bad: unknown[]) =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.oneof(fc.constantFrom(...bad), anything) },
  );
const size = mostly(['1', '500m', '4Gi', 2, 1.5], SIZES);
const variable = fc.record({
  name: mostly(['A', 'B', 'C', 'D'], ['1A', 'WORKBENCH_ID']),
  value: mostly(['', '$(A)'], [1]),
});
const nearly = fc.record(
  {
    workbench_name: mostly(['Lab', 'Генóм 🧬', '<b>'], ['a\nb', '\u2028', '\ud800']),
    class: mostly(['lab', 'a..b'], ['A', '']),
    version: mostly(['1.0', 'x'], ['-']),
    image: mostly(['lab', 'host:5000/lab:v1'], ['LAB', 'lab@sha256:0']),
    requested_cpu: size,
    requested_memory: size,
    requested_gpu: mostly([0, 1, 64], [65, 0.5, '1']),
    storage: fc.record({ size, volume_id: mostly(['files'], ['-']) }, { requiredKeys: [] }),
    env: fc.array(variable, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** As JSON.parse makes it: __proto__ is a field like any other. */
function object(entries: [string, unknown][]): unknown {
  return JSON.parse(
    `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
  );
}

/** What came of it, or the refusal; any other error fails. */
function tried<T>(act: () => T): T | Problem {
  try {
    return act();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

const received = (body: unknown): unknown => JSON.parse(JSON.stringify(body) ?? 'null');

function expectSentence({ status, message }: Problem): void {
  expect(status).toBe(400);
  expect(message.length).toBeLessThan(2000);
  expect(message).toMatch(/\.$/);
}

const before = Object.getOwnPropertyNames(Object.prototype);
afterEach(() => expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before));

test.each([
  ['a POST', createSchema, (body: never) => specFrom('alice', body)],
  ['a PATCH', patchSchema, (body: never) => specAfter({ owner: 'alice', resources: { cpu: '1' } }, body)],
] as const)('%s is a workbench that the kind takes, or is refused in a sentence', (_what, schema, specOf) => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(nearly, anything), (body) => {
      const outcome = tried(() => {
        const parsed = parseBody<unknown>(schema, received(body)) as never;
        checkEnv((parsed as { env?: [] }).env);
        return specOf(parsed);
      });
      if (outcome instanceof Problem) return expectSentence(outcome);
      taken++;
      expect(outcome.owner).toBe('alice');
      expect(specSchema.safeParse(outcome).error).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
  expect(taken).toBeGreaterThan(100);
});

test.each([
  ['a hundred thousand fields', Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`x${index}`, 1]))],
  ['eighty thousand empty variables', { env: Array.from({ length: 80_000 }, () => ({})) }],
  ['variables of many fields', { env: Array.from({ length: 99 }, (_, at) => ({ [`a${at}`]: 1, [`b${at}`]: 2 })) }],
  ['a very long name', { ['x'.repeat(200_000)]: 1 }],
  ['very deep nesting', JSON.parse(`${'{"env":['.repeat(20_000)}${']}'.repeat(20_000)}`)],
])('%s are refused in a sentence, too', (_what, body) => {
  const refusal = tried(() => parseBody(createSchema, body));
  expect(refusal).toBeInstanceOf(Problem);
  expectSentence(refusal as Problem);
});

test('a user is what can be an owner, or is refused in a sentence', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'grapheme' }), leaf, anything);
  fc.assert(
    fc.property(text, (user) => {
      const outcome = tried(() => userFrom({ user_id: user }));
      if (outcome instanceof Problem) return expectSentence(outcome);
      expect(isUser(outcome)).toBe(true);
      expect(specSchema.safeParse({ owner: outcome }).error).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});
