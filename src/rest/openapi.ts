/** The API's own description: OpenAPI 3.1, made from the schemas that check what comes and shape what goes. */
import * as z from 'zod';
import type { Identity } from './auth.ts';
import { specSchema } from '../workbench/resource.ts';
import { createSchema, patchSchema } from './body.ts';
import { json, ref, schemaOf } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { PATHS } from './operations.ts';
import type { Told } from './operations.ts';
import { errorSchema, itemSchema, shareItemSchema, volumeSchema } from './shapes.ts';
import { setShareSchema } from './shares.ts';

const answer = (description: string, fields: JsonSchema = {}, more: JsonSchema = {}) => ({
  description,
  ...json({
    type: 'object',
    properties: { success: { const: true }, ...fields, ...more },
    required: ['success', ...Object.keys(fields)],
    additionalProperties: false,
  }),
});

const ERRORS: Record<string, string> = {
  400: 'Something in the request is not as it must be; the message says what.',
  401: 'It bears no token, or none that is valid here.',
  403: 'This user may not do it, or a limit of the owner, a quota of the namespace or a policy of the cluster is in the way.',
  404: 'There is none of that name, or it is somebody else’s.',
  409: 'It does not fit what is there: somebody else changed it, or it is managed elsewhere.',
  413: 'The body is larger than 256 KiB.',
  415: 'The body is not JSON.',
  429: 'The user asks too often, or the cluster is busy; Retry-After says when to come back.',
  503: 'The controller or the cluster cannot answer just now; Retry-After says when to come back.',
};

const SCHEMAS: Record<string, JsonSchema> = {
  Workbench: schemaOf(itemSchema),
  CreateWorkbench: schemaOf(createSchema),
  PatchWorkbench: schemaOf(patchSchema),
  Share: schemaOf(shareItemSchema),
  SetShare: schemaOf(setShareSchema),
  Volume: schemaOf(volumeSchema),
  Error: schemaOf(errorSchema),
};

/** Where nothing is required null is as good as no body: clients send it that have nothing to say. */
function bodyOf(name: string): JsonSchema {
  if (SCHEMAS[name]!.required !== undefined) return { required: true, ...json(ref(name)) };
  return json({ anyOf: [ref(name), { type: 'null' }] });
}

/** When it is worth to ask again. */
const RETRY_AFTER = { 'Retry-After': { schema: { type: 'integer', minimum: 1 }, description: 'Seconds.' } };

function parametersOf({ query = z.object({}), headers = [] }: Told): JsonSchema[] {
  const { properties = {} } = schemaOf(query) as { properties?: Record<string, JsonSchema> };
  const asked = Object.entries(properties).map(([name, { description, ...schema }]) => {
    // Several of them with commas between.
    const list = schema.type === 'array' ? { style: 'form', explode: false } : {};
    return { name, in: 'query', description, ...list, schema };
  });
  const said = headers.map(([name, description, pattern]) => {
    return { name, in: 'header', description, schema: { type: 'string', pattern: pattern.source } };
  });
  return [...asked, ...said];
}

function linksOf({ by, to }: { by: string; to: string[] }, needs: Identity['needs']): JsonSchema {
  const parameters = { id: `$response.body#/${by}`, ...(needs.userId ? { user_id: '$request.query.user_id' } : {}) };
  return { links: Object.fromEntries(to.map((next) => [next, { operationId: next, parameters }])) };
}

function operation(told: Told, needs: Identity['needs']): JsonSchema {
  const { operationId, summary, body, leads } = told;
  const [status, ...ok] = told.ok;
  const parameters = parametersOf(told);
  const errors = [...told.errors, ...(needs.token ? [401, 403] : [])];
  return {
    operationId,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: bodyOf(body) }),
    responses: {
      [status]: { ...(told.stream ?? answer(...ok)), ...(leads ? linksOf(leads, needs) : {}) },
      ...Object.fromEntries(errors.map((code) => [code, { $ref: `#/components/responses/${code}` }])),
    },
  };
}

const { description: _, ...USER } = schemaOf(specSchema.shape.owner);
const user = (isRequired: boolean) => ({
  name: 'user_id',
  in: 'query',
  required: isRequired,
  description: isRequired ? 'Who asks.' : 'Who asks; another than the token says only for administrators.',
  schema: USER,
});
const ID = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

/** @param urlPrefix that all paths begin with. @param needs how this installation knows who asks */
export function describeApi(urlPrefix: string, needs: Identity['needs']): JsonSchema {
  const paths = Object.entries(PATHS).map(([path, operations]) => [
    path,
    {
      parameters: [...(path.includes('{id}') ? [ID] : []), user(needs.userId)],
      ...Object.fromEntries(Object.entries(operations).map(([method, told]) => [method, operation(told, needs)])),
    },
  ]);
  const codes = Object.entries(ERRORS).filter(([code]) => needs.token || code !== '401');
  const responses = codes.map(([code, description]) => {
    const headers = code === '429' || code === '503' ? { headers: RETRY_AFTER } : {};
    return [code, { description, ...headers, ...json(ref('Error')) }];
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Workbench Controller',
      version: '1',
      description: 'Browser IDEs on Kubernetes. Unknown values are absent, not null.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: urlPrefix || '/' }],
    ...(needs.token ? { security: [{ bearer: [] }] } : {}),
    paths: Object.fromEntries(paths),
    components: {
      ...(needs.token ? { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } : {}),
      schemas: SCHEMAS,
      responses: Object.fromEntries(responses),
    },
  };
}
