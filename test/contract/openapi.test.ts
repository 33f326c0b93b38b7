import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { document } from '../../client/document.ts';
import { createSchema, patchSchema } from '../../src/rest/body.ts';
import { describeApi } from '../../src/rest/openapi.ts';
import { listQuery, oneQuery } from '../../src/rest/query.ts';

const described = describeApi('/api', { token: true, userId: false }) as {
  servers: object[];
  paths: Record<string, Record<string, { operationId?: string }>>;
  components: {
    schemas: Record<string, { properties: Record<string, Record<string, unknown>> }>;
    responses: Record<string, object>;
  };
};
const text = JSON.stringify(described);

const byName = (a: string, b: string) => a.localeCompare(b);

test('it is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(described) as never);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('every reference leads somewhere, and what there is is used', () => {
  const named = [...new Set([...text.matchAll(/"#\/components\/(\w+\/\w+)"/g)].map(([, name]) => name!))];
  const { schemas, responses } = described.components;
  const there = Object.entries({ schemas, responses }).flatMap(([kind, all]) =>
    Object.keys(all).map((name) => `${kind}/${name}`),
  );
  expect(named.toSorted(byName)).toEqual(there.toSorted(byName));
});

test('every operation has a name of its own', () => {
  const operations = Object.values(described.paths).flatMap(Object.values) as { operationId?: string }[];
  const names = operations.map(({ operationId }) => operationId).filter(Boolean);
  expect(names.length).toBeGreaterThan(8);
  expect(new Set(names).size).toBe(names.length);
});

test.each([
  [{ token: false, userId: true }, undefined],
  [{ token: true, userId: true }, [{ bearer: [] }]],
  [{ token: true, userId: false }, [{ bearer: [] }]],
])('where clients need %j it says so', async (needs, security) => {
  const about = describeApi('', needs) as typeof described & { security?: object };
  expect((await new Validator().validate(structuredClone(about) as never)).errors).toBeUndefined();
  expect(about.security).toEqual(security);
  expect(about.paths['/volumes']!.parameters).toMatchObject([{ name: 'user_id', required: needs.userId }]);
  expect(JSON.stringify(about).includes('"401"')).toBe(needs.token);
});

test('it says where the API is, and nothing in words of the API server', () => {
  expect(described.servers).toEqual([{ url: '/api' }]);
  expect(describeApi('', { token: false, userId: true }).servers).toEqual([{ url: '/' }]);
  expect(text).not.toContain('x-kubernetes');
});

test('a body has the fields that are checked, with their rules, and no others', () => {
  const { CreateWorkbench: create, PatchWorkbench: patch } = described.components.schemas;
  expect(Object.keys(create!.properties)).toEqual(Object.keys(createSchema.shape));
  expect(Object.keys(patch!.properties)).toEqual(Object.keys(patchSchema.shape));
  expect(create).toMatchObject({ additionalProperties: false });
  expect(create!.properties.requested_memory).toMatchObject({
    type: ['number', 'string'],
    minimum: expect.any(Number),
    pattern: expect.stringContaining('Ki|Mi'),
  });
  expect(create!.properties.image).toMatchObject({
    type: 'string',
    maxLength: 512,
    pattern: expect.stringContaining('sha256'),
  });
});

test.each(['CreateWorkbench', 'PatchWorkbench'])('the patterns of %s are ones that JSON Schema knows', (name) => {
  const patterns = [...JSON.stringify(described.components.schemas[name]).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)];
  expect(patterns.length).toBeGreaterThan(2);
  for (const [, pattern] of patterns) {
    expect(() => new RegExp(JSON.parse(pattern!) as string, 'u')).not.toThrow();
    // A class of characters by its name is more than others know.
    expect(pattern).not.toContain('\\\\p{');
  }
});

test('what an answer names leads to what can be done with it', () => {
  const about = (userId: boolean) =>
    (describeApi('', { token: false, userId }) as typeof described).paths['/workbenches']!.post as unknown as {
      responses: Record<string, { links: Record<string, { parameters: object }> }>;
    };
  const id = '$response.body#/item/workbench_id';
  const { links } = about(true).responses['201']!;
  expect(Object.keys(links)).toContain('stopWorkbench');
  expect(links.stopWorkbench!.parameters).toEqual({ id, user_id: '$request.query.user_id' });
  expect(about(false).responses['201']!.links.stopWorkbench!.parameters).toEqual({ id });
});

test('clients are made from it as it is; "npm run client" makes ours anew', () => {
  expect(readFileSync('client/openapi.json', 'utf8')).toBe(document);
});

test('what may stand behind the question mark, and in a header, is what is read', () => {
  const { paths } = describeApi('', { token: false, userId: true }) as {
    paths: Record<string, Record<string, { parameters?: { name: string; in: string; explode?: boolean }[] }>>;
  };
  const named = (path: string, method: string, where: string) =>
    (paths[path]![method]!.parameters ?? []).filter((one) => one.in === where).map(({ name }) => name);
  expect(named('/workbenches', 'get', 'query')).toEqual(Object.keys(listQuery.shape));
  expect(named('/workbenches/{id}', 'get', 'query')).toEqual(Object.keys(oneQuery.shape));
  expect(named('/workbenches', 'post', 'header')).toEqual(['Idempotency-Key']);
  expect(named('/workbenches/{id}/events', 'get', 'header')).toEqual(['Last-Event-ID']);
});

test('every operation may be answered 429 and 503, and both say when to come back', () => {
  const operations = Object.values(described.paths).flatMap((path) =>
    Object.entries(path).flatMap(([method, told]) => (method === 'parameters' ? [] : [told])),
  ) as { responses: Record<string, object> }[];
  for (const { responses } of operations)
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['429', '503']));
  for (const code of ['429', '503'])
    expect(described.components.responses[code]).toMatchObject({ headers: { 'Retry-After': expect.anything() } });
});
