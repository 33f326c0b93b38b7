/** The API's own description: OpenAPI 3.1, made from the schemas that check what comes and shape what goes. */
import * as z from 'zod';
import type { Identity } from './auth.ts';
import { specSchema } from '../workbench/resource.ts';
import { createSchema, patchSchema } from './body.ts';
import { errorSchema, itemSchema, volumeSchema } from './shapes.ts';

type JsonSchema = Record<string, unknown>;

/** What the API server calls by names of its own is said in JSON Schema's. */
function schemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => translate(jsonSchema as JsonSchema),
  });
  return described;
}

/** Numbers that are written without an exponent; text as the API server takes it, but no zero. */
const SIZE = {
  type: ['number', 'string'],
  minimum: 1e-6,
  exclusiveMaximum: 1e15,
  maxLength: 32,
  not: { type: 'string', pattern: '^[0.]+[a-zA-Z]*$' },
};

function translate(schema: JsonSchema): void {
  const rules = (schema['x-kubernetes-validations'] ?? []) as { rule: string }[];
  if (schema['x-kubernetes-int-or-string']) Object.assign(schema, SIZE);
  for (const { rule } of rules) {
    const [, not, pattern] = /^(!?)(?:self|string\(self\))\.matches\(r?'(.*?)'\)/.exec(rule) ?? [];
    if (pattern === undefined) continue;
    if (not) schema.not = { pattern: portable(pattern) };
    else schema.pattern = portable(pattern);
  }
  for (const key of Object.keys(schema)) if (key.startsWith('x-kubernetes-')) delete schema[key];
}

/** Names of classes of characters are not known to every reader of JSON Schema; those that they stand for are. */
const portable = (pattern: string) =>
  pattern.replace('\\p{Cc}\\p{Zl}\\p{Zp}', '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029');

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: JsonSchema) => ({ content: { 'application/json': { schema } } });
const answer = (description: string, fields: JsonSchema = {}) => ({
  description,
  ...json({
    type: 'object',
    properties: { success: { const: true }, ...fields },
    required: ['success', ...Object.keys(fields)],
    additionalProperties: false,
  }),
});

const ERRORS: Record<string, string> = {
  400: 'Something in the request is not as it must be; the message says what.',
  401: 'It bears no token, or none that is valid here.',
  403: 'A limit of the owner, a quota of the namespace or a policy of the cluster is in the way.',
  404: 'There is none of that name, or it is somebody else’s.',
  409: 'It does not fit what is there: somebody else changed it, or it is managed elsewhere.',
  413: 'The body is larger than 256 KiB.',
  415: 'The body is not JSON.',
  429: 'The cluster is busy; Retry-After says when to come back.',
  503: 'The controller or the cluster cannot answer just now; Retry-After says when to come back.',
};

/** null is as good as none: clients send it that have nothing to say. */
const bodyOf = (name: string) => ({ anyOf: [ref(name), { type: 'null' }] });

interface Told {
  operationId: string;
  summary: string;
  body?: string;
  ok: [status: number, description: string, fields?: JsonSchema];
  errors: number[];
  /** Where its answer names something, and what can be done with that. */
  leads?: { by: string; to: string[] };
}

function operation(told: Told, needs: Identity['needs']): JsonSchema {
  const { operationId, summary, body, leads } = told;
  const [status, description, fields] = told.ok;
  const parameters = {
    id: `$response.body#/${leads?.by}`,
    ...(needs.userId ? { user_id: '$request.query.user_id' } : {}),
  };
  const links = Object.fromEntries((leads?.to ?? []).map((next) => [next, { operationId: next, parameters }]));
  const errors = [...told.errors, ...(needs.token ? [401, 403] : [])];
  return {
    operationId,
    summary,
    ...(body === undefined ? {} : { requestBody: json(bodyOf(body)) }),
    responses: {
      [status]: { ...answer(description, fields), ...(leads ? { links } : {}) },
      ...Object.fromEntries(errors.map((code) => [code, { $ref: `#/components/responses/${code}` }])),
    },
  };
}

const ONE = { item: ref('Workbench') };
const READ = [400, 404, 503];
const WRITE = [400, 403, 404, 409, 429, 503];
const WITH_BODY = [...WRITE, 413, 415];

/** Each path, by what it does with which method. */
const PATHS: Record<string, Record<string, Told>> = {
  '/workbenches': {
    get: {
      operationId: 'listWorkbenches',
      summary: "The user's workbenches, in the order of their birth.",
      ok: [200, 'All of them.', { items: { type: 'array', items: ref('Workbench') } }],
      errors: [400, 503],
    },
    post: {
      operationId: 'createWorkbench',
      summary: 'Makes a new workbench each time, and starts it. Poll it until its status is running.',
      body: 'CreateWorkbench',
      ok: [201, 'It is made.', ONE],
      errors: WITH_BODY.filter((code) => code !== 404),
      leads: {
        by: 'item/workbench_id',
        to: ['getWorkbench', 'patchWorkbench', 'startWorkbench', 'stopWorkbench', 'deleteWorkbench'],
      },
    },
  },
  '/workbenches/{id}': {
    get: { operationId: 'getWorkbench', summary: 'One workbench.', ok: [200, 'As it is now.', ONE], errors: READ },
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
  '/volumes': {
    get: {
      operationId: 'listVolumes',
      summary: "The user's volumes, those that no workbench has any more included.",
      ok: [200, 'All of them.', { items: { type: 'array', items: ref('Volume') } }],
      errors: [400, 503],
      leads: { by: 'items/0/volume_id', to: ['getVolume', 'deleteVolume'] },
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
  const responses = codes.map(([code, description]) => [code, { description, ...json(ref('Error')) }]);
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
        Volume: schemaOf(volumeSchema),
        Error: schemaOf(errorSchema),
      },
      responses: Object.fromEntries(responses),
    },
  };
}
