import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../src/kube/errors.ts';
import { REQUEST, keyIn, nameFor, once, requestOf } from '../../src/rest/idempotency.ts';
import type { Means } from '../../src/rest/idempotency.ts';
import { specFrom } from '../../src/rest/body.ts';
import { Problem } from '../../src/rest/problem.ts';
import type { Workbench, WorkbenchSpec } from '../../src/workbench/resource.ts';

const spec: WorkbenchSpec = { owner: 'alice', state: 'Running', displayName: 'Genome lab' };
const made = (of: WorkbenchSpec = spec, owner = of.owner): Workbench => ({
  metadata: { name: nameFor(of.owner, 'key'), annotations: { [REQUEST]: requestOf(of) } },
  spec: { ...of, owner },
});
const missing = new KubeError('notFound', 404, {});
const conflict = expect.objectContaining({ status: 409, reason: 'IdempotencyConflict' });

describe('a key', () => {
  test.each<[header: string | undefined, ok: boolean]>([
    [undefined, true],
    ['a', true],
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', true],
    ['x'.repeat(255), true],
    ['', false],
    ['x'.repeat(256), false],
    ['ä', false],
    ['a\tb', false],
  ])('%j', (header, ok) => {
    if (ok) expect(keyIn(header)).toBe(header);
    else expect(() => keyIn(header)).toThrow(/Idempotency-Key must be 1 to 255 printable ASCII/);
  });

  test('makes a name like any other, of its own for each user and key', () => {
    const names = [nameFor('alice', 'a'), nameFor('bob', 'a'), nameFor('alice', 'b'), nameFor('alic', 'ea')];
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^wb-[a-z2-7]{20}$/);
    expect(nameFor('alice', 'a')).toBe(names[0]);
  });
});

test.each<[what: string, one: object, other: object, same: boolean]>([
  ['the order of fields', { image: 'a', class: 'b' }, { class: 'b', image: 'a' }, true],
  ['a size as a number or as text', { requested_cpu: 2 }, { requested_cpu: '2' }, true],
  ['another name', { workbench_name: 'a' }, { workbench_name: 'b' }, false],
  ['nothing beside something', {}, { requested_gpu: 0 }, false],
])('what makes two requests the same: %s', (_what, one, other, same) => {
  expect(requestOf(specFrom('alice', one)) === requestOf(specFrom('alice', other))).toBe(same);
});

describe('a POST with a key', () => {
  const means = (more: Partial<Means>): Means => ({
    known: () => undefined,
    live: () => Promise.reject(missing),
    make: () => Promise.reject(new Error('must not be made')),
    ...more,
  });

  test('makes a workbench that remembers what was asked for', async () => {
    const asked: unknown[] = [];
    const make: Means['make'] = (...what) => {
      asked.push(what);
      return Promise.resolve(made());
    };
    expect(await once('key', spec, means({ make }))).toEqual(made());
    expect(asked).toEqual([[nameFor('alice', 'key'), { [REQUEST]: requestOf(spec) }]]);
  });

  test('is answered from the cache when it comes again, also while that workbench is being deleted', async () => {
    expect(await once('key', spec, means({ known: () => made() }))).toEqual(made());
    const leaving = { ...made(), metadata: { ...made().metadata, deletionTimestamp: '2026-11-28T12:00:00Z' } };
    expect(await once('key', spec, means({ known: () => leaving }))).toBe(leaving);
  });

  test.each<[what: string, error: Error]>([
    ['the name is taken: another replica was quicker', new KubeError('alreadyExists', 409, {})],
    ['the first has used up what its owner may have', new Problem(403, 'UserLimit', 'One is all you may have.')],
    ['the answer was lost', new KubeError('unreachable', 0, {})],
  ])('is answered with what is there if %s', async (_what, error) => {
    const means_ = means({ make: () => Promise.reject(error), live: () => Promise.resolve(made()) });
    expect(await once('key', spec, means_)).toEqual(made());
    await expect(once('key', spec, means({ make: () => Promise.reject(error) }))).rejects.toBe(error);
  });

  test.each<[what: string, found: Workbench]>([
    ['was for something else', made({ ...spec, displayName: 'Another' })],
    ['made what belongs to somebody else by now', made(spec, 'bob')],
    ['is not told of by what is there', { ...made(), metadata: { name: nameFor('alice', 'key') } }],
  ])('conflicts if the first %s', async (_what, found) => {
    await expect(once('key', spec, means({ known: () => found }))).rejects.toEqual(conflict);
    await expect(
      once('key', spec, means({ make: () => Promise.reject(missing), live: () => Promise.resolve(found) })),
    ).rejects.toEqual(conflict);
  });
});
