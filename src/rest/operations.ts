/** What the API can do: each path, by what it does with which method. */
import type * as z from 'zod';
import { ASCII } from './idempotency.ts';
import { ref } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { listQuery, oneQuery } from './query.ts';

export interface Told {
  operationId: string;
  summary: string;
  query?: z.ZodObject;
  headers?: [name: string, description: string, pattern: RegExp][];
  body?: string;
  /** What is answered instead of JSON. */
  stream?: JsonSchema;
  /** `more`: fields that may be absent. */
  ok: [status: number, description: string, fields?: JsonSchema, more?: JsonSchema];
  errors: number[];
  /** Where its answer names something, and what can be done with that. */
  leads?: { by: string; to: string[] };
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

export const PATHS: Record<string, Record<string, Told>> = {
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
          ASCII,
        ],
      ],
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
      headers: [
        ['Last-Event-ID', 'Of the last event that came: the first one is left out if it would say the same.', ASCII],
      ],
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
