/** The API's own description: OpenAPI 3.1, made from the schemas that check what comes and shape what goes. */
import * as z from 'zod';
import type { Identity } from './auth.ts';
import { createSchema, patchSchema } from './body.ts';
import { json, ref, schemaOf } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { listQuery, oneQuery } from './query.ts';
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

/** When it is worth to ask again. */
const RETRY_AFTER = { 'Retry-After': { schema: { type: 'integer', minimum: 1 }, description: 'Seconds.' } };

interface Told {
  operationId: string;
  summary: string;
  query?: z.ZodObject;
  headers?: [name: string, description: string][];
  body?: string;
  /** What is answered instead of JSON. */
  stream?: JsonSchema;
  /** `more`: fields that may be absent. */
  ok: [status: number, description: string, fields?: JsonSchema, more?: JsonSchema];
  errors: number[];
}

function parametersOf({ query = z.object({}), headers = [] }: Told): JsonSchema[] {
  const { properties = {} } = schemaOf(query) as { properties?: Record<string, JsonSchema> };
  const asked = Object.entries(properties).map(([name, { description, ...schema }]) => {
    // Several of them with commas between.
    const list = schema.type === 'array' ? { style: 'form', explode: false } : {};
    return { name, in: 'query', description, ...list, schema };
  });
  const schema = { type: 'string', minLength: 1, maxLength: 255 };
  return [...asked, ...headers.map(([name, description]) => ({ name, in: 'header', description, schema }))];
}

function operation(told: Told, isGuarded: boolean): JsonSchema {
  const { operationId, summary, body } = told;
  const [status, ...ok] = told.ok;
  const parameters = parametersOf(told);
  const errors = [...told.errors, ...(isGuarded ? [401, 403] : [])];
  return {
    operationId,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: json(ref(body)) }),
    responses: {
      [status]: told.stream ?? answer(...ok),
      ...Object.fromEntries(errors.map((code) => [code, { $ref: `#/components/responses/${code}` }])),
    },
  };
}

const ONE = { item: ref('Workbench') };
const SHARES = { items: { type: 'array', items: ref('Share') } };
const READ = [400, 404, 429, 503];
const LIST = [400, 429, 503];
const WRITE = [400, 403, 404, 409, 429, 503];
const WITH_BODY = [...WRITE, 413, 415];

const STREAM: JsonSchema = {
  description:
    'Events without a type have the workbench as JSON; "deleted" has its id, and is the last. A comment comes each 15 s.',
  content: { 'text/event-stream': { schema: { type: 'string' } } },
};

/** Each path, by what it does with which method. */
const PATHS: Record<string, Record<string, Told>> = {
  '/workbenches': {
    get: {
      operationId: 'listWorkbenches',
      summary: "The user's own workbenches and those that are shared with them, in the order of their birth.",
      query: listQuery,
      ok: [
        200,
        'Those that are asked for, by default all of them.',
        { items: { type: 'array', items: ref('Workbench') } },
        {
          continue: { type: 'string', description: 'There are more: to be sent as it is. Absent: these are the last.' },
        },
      ],
      errors: LIST,
    },
    post: {
      operationId: 'createWorkbench',
      summary: 'Makes a new workbench, and starts it: each time another one, unless the key is the same.',
      headers: [
        [
          'Idempotency-Key',
          'Any text: the same with the same body is answered with the same workbench, with another 409.',
        ],
      ],
      body: 'CreateWorkbench',
      ok: [201, 'It is made.', ONE],
      errors: WITH_BODY.filter((code) => code !== 404),
    },
  },
  '/workbenches/{id}': {
    get: {
      operationId: 'getWorkbench',
      summary: 'One workbench, at once or when it has a status.',
      query: oneQuery,
      ok: [200, 'As it is now.', ONE],
      errors: READ,
    },
    patch: {
      operationId: 'patchWorkbench',
      summary: 'Changes it; all but the name take effect at the next start. null goes back to the default.',
      body: 'PatchWorkbench',
      ok: [200, 'As it is from now on.', ONE],
      errors: WITH_BODY,
    },
    delete: {
      operationId: 'deleteWorkbench',
      summary:
        'Deletes it. It is stopping until nothing of it is left; its volume is kept unless its class says otherwise.',
      ok: [200, 'It is on its way.'],
      errors: WRITE,
    },
  },
  '/workbenches/{id}/events': {
    get: {
      operationId: 'watchWorkbench',
      summary: 'The workbench as it is now and at each change, as server-sent events, until it is deleted.',
      headers: [['Last-Event-ID', 'Of the last event that came: the first one is left out if it would say the same.']],
      stream: STREAM,
      ok: [200, ''],
      errors: READ,
    },
  },
  '/workbenches/{id}/start': {
    post: {
      operationId: 'startWorkbench',
      summary: 'Starts it with the newest image; nothing if it runs already. From failed it is a fresh start.',
      ok: [200, 'It is wanted running.'],
      errors: WRITE,
    },
  },
  '/workbenches/{id}/stop': {
    post: {
      operationId: 'stopWorkbench',
      summary: 'Stops it; nothing if it is stopped already.',
      ok: [200, 'It is wanted stopped.'],
      errors: WRITE,
    },
  },
  '/workbenches/{id}/shares': {
    get: {
      operationId: 'listShares',
      summary: 'With whom it is shared. Only its owner is told.',
      ok: [200, 'All of them.', SHARES],
      errors: [...READ, 403],
    },
    post: {
      operationId: 'setShare',
      summary: 'Shares it with a user, changes what the share allows, or takes it back. Safe to repeat.',
      body: 'SetShare',
      ok: [200, 'All there are from now on.', SHARES],
      errors: WITH_BODY,
    },
  },
  '/volumes': {
    get: {
      operationId: 'listVolumes',
      summary: "The user's volumes, those that no workbench has any more included.",
      ok: [200, 'All of them.', { items: { type: 'array', items: ref('Volume') } }],
      errors: LIST,
    },
  },
  '/volumes/{id}': {
    get: {
      operationId: 'getVolume',
      summary: 'One volume.',
      ok: [200, 'As it is now.', { item: ref('Volume') }],
      errors: READ,
    },
    delete: {
      operationId: 'deleteVolume',
      summary: 'Removes a volume that no workbench has, with all files on it, for good.',
      ok: [200, 'It is on its way.'],
      errors: WRITE,
    },
  },
};

const user = (isRequired: boolean) => ({
  name: 'user_id',
  in: 'query',
  required: isRequired,
  description: isRequired ? 'Who asks.' : 'Who asks; another than the token says only for administrators.',
  schema: { type: 'string', minLength: 1, maxLength: 253 },
});
const ID = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

/** @param urlPrefix that all paths begin with. @param needs how this installation knows who asks */
export function describeApi(urlPrefix: string, needs: Identity['needs']): JsonSchema {
  const paths = Object.entries(PATHS).map(([path, operations]) => [
    path,
    {
      parameters: [...(path.includes('{id}') ? [ID] : []), user(needs.userId)],
      ...Object.fromEntries(Object.entries(operations).map(([method, told]) => [method, operation(told, needs.token)])),
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
      schemas: {
        Workbench: schemaOf(itemSchema),
        CreateWorkbench: schemaOf(createSchema),
        PatchWorkbench: schemaOf(patchSchema),
        Share: schemaOf(shareItemSchema),
        SetShare: schemaOf(setShareSchema),
        Volume: schemaOf(volumeSchema),
        Error: schemaOf(errorSchema),
      },
      responses: Object.fromEntries(responses),
    },
  };
}
