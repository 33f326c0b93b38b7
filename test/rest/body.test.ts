import { describe, expect, test } from '@jest/globals';
import { checkEnv, createSchema, parseBody, patchSchema, resourcesFrom, specFrom } from '../../src/rest/body.ts';
import type { CreateBody, PatchBody } from '../../src/rest/body.ts';
import type { Resources } from '../../src/workbench/resource.ts';

const refusal = (schema: typeof createSchema | typeof patchSchema, body: unknown): unknown => {
  try {
    return parseBody<unknown>(schema, body);
  } catch (error) {
    return error;
  }
};
const variables = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `A${index}`, value: '' }));

describe('a body that says what can be done is taken as it is', () => {
  test.each<[what: string, body: unknown, taken: object]>([
    ['none at all', undefined, {}],
    ['null', null, {}],
    ['an empty object', {}, {}],
    ['a size as a number', { requested_cpu: 2 }, { requested_cpu: 2 }],
    ['a size as text', { requested_memory: '4Gi' }, { requested_memory: '4Gi' }],
    ['no GPU', { requested_gpu: 0 }, { requested_gpu: 0 }],
    ['a name in any script', { workbench_name: 'Генóм 🧬 <b>' }, { workbench_name: 'Генóм 🧬 <b>' }],
    ['a hundred variables', { env: variables(100) }, { env: variables(100) }],
  ])('%s', (_what, body, taken) => {
    expect(parseBody(createSchema, body)).toEqual(taken);
  });

  test('null takes a value away, in a PATCH only', () => {
    const nulls = { workbench_name: null, image: null, requested_cpu: null, requested_gpu: null, env: null };
    expect(parseBody(patchSchema, nulls)).toEqual(nulls);
    expect(refusal(createSchema, { image: null })).toMatchObject({ status: 400 });
  });
});

describe('a body that does not is refused by name', () => {
  test.each<[body: unknown, sentence: RegExp]>([
    [{ colour: 'red' }, /^Unknown field "colour"\.$/],
    [{ owner: 'bob', state: 'Running' }, /^Unknown field "owner", "state"\.$/],
    [{ user_id: 'bob' }, /^Unknown field "user_id"\.$/],
    [JSON.parse('{"__proto__":{"image":"x"}}'), /^Unknown field "__proto__"\.$/],
    [{ env: [{ name: 'A', value: '', valueFrom: {} }] }, /^Unknown field "valueFrom" in env\.0\.$/],
    [{ env: [{ name: '1A', value: '' }] }, /^env\.0\.name: name must be a C identifier/],
    [{ env: [{ name: 'A' }] }, /^env\.0\.value: /],
    [{ env: [{ name: 'WORKBENCH_OWNER', value: 'bob' }] }, /^env\.0\.name: this name is reserved/],
    [{ env: variables(101) }, /^env: /],
    [{ env: {} }, /^env: /],
    [{ requested_cpu: '2 cores' }, /^requested_cpu: must be a positive Kubernetes quantity/],
    [{ requested_cpu: 0 }, /^requested_cpu: /],
    [{ requested_memory: '-1Gi' }, /^requested_memory: must be a positive/],
    [{ requested_gpu: 1.5 }, /^requested_gpu: /],
    [{ requested_gpu: '1' }, /^requested_gpu: /],
    [{ requested_gpu: 65 }, /^requested_gpu: /],
    [{ workbench_name: '' }, /^workbench_name: /],
    [{ workbench_name: 'a\nb' }, /^workbench_name: .*printable/],
    [{ workbench_name: 'x'.repeat(254) }, /^workbench_name: /],
    [{ image: 'https://registry.example/lab' }, /^image: must be an image reference/],
    [{ image: 'lab; rm -rf /' }, /^image: /],
    [
      Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`x${index}`, 1])),
      /^Unknown field "x0", "x1", "x2", "x3", "x4" and 4 more\.$/,
    ],
    [[], /^The body must be a JSON object: /],
    ['text', /^The body must be a JSON object: /],
    [7, /^The body must be a JSON object: /],
  ])('%j', (body, sentence) => {
    expect(refusal(createSchema, body)).toMatchObject({
      status: 400,
      reason: 'Invalid',
      message: expect.stringMatching(sentence),
    });
  });

  test('every wrong field at once, and a long name not in full', () => {
    expect(refusal(createSchema, { image: '', requested_gpu: -1 })).toMatchObject({
      message: expect.stringMatching(/image: .*requested_gpu: /),
    });
    expect((refusal(createSchema, { ['x'.repeat(10_000)]: 1 }) as Error).message.length).toBeLessThan(100);
  });
});

test('a variable that is there twice is refused by name', () => {
  const env = [...variables(3), { name: 'A1', value: 'again' }];
  expect(() => checkEnv(env)).toThrow('env: "A1" is there twice.');
  for (const fine of [undefined, null, [], variables(3)]) expect(() => checkEnv(fine)).not.toThrow();
});

describe('a POST becomes a spec', () => {
  test.each<[what: string, body: CreateBody, spec: object]>([
    ['of the owner alone', {}, {}],
    ['with its sizes as text', { requested_cpu: 2, requested_gpu: 1 }, { resources: { cpu: '2', gpu: 1 } }],
    [
      'with all that was asked for',
      { workbench_name: 'Lab', image: 'lab:v1', env: variables(1) },
      { displayName: 'Lab', image: 'lab:v1', env: variables(1) },
    ],
  ])('%s', (_what, body, spec) => {
    expect(specFrom('alice', body)).toEqual({ owner: 'alice', state: 'Running', ...spec });
  });
});

describe('a PATCH changes the sizes that it names', () => {
  const before: Resources = { cpu: '2', memory: '4Gi', gpu: 1 };
  test.each<[what: string, body: PatchBody, after: Resources | undefined]>([
    ['none', {}, before],
    ['one', { requested_memory: '8Gi' }, { cpu: '2', memory: '8Gi', gpu: 1 }],
    ['one taken away', { requested_gpu: null }, { cpu: '2', memory: '4Gi' }],
    ['all taken away', { requested_cpu: null, requested_memory: null, requested_gpu: null }, undefined],
    ['a GPU counted down to none', { requested_gpu: 0 }, { ...before, gpu: 0 }],
  ])('%s', (_what, body, after) => {
    expect(resourcesFrom(before, body)).toEqual(after);
    expect(before).toEqual({ cpu: '2', memory: '4Gi', gpu: 1 });
  });
});
