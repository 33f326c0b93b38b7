/** Which calls there are, what they take and what they answer is all in api.ts, which is generated; here is only who asks. */
import createClient, { createQuerySerializer } from 'openapi-fetch';
import type { Client } from 'openapi-fetch';
import type { components, paths } from './api.ts';

export type { components, operations, paths } from './api.ts';
export type Workbench = components['schemas']['Workbench'];
export type CreateWorkbench = components['schemas']['CreateWorkbench'];
export type PatchWorkbench = components['schemas']['PatchWorkbench'];
export type Volume = components['schemas']['Volume'];
export type Refusal = components['schemas']['Error'];
export type WorkbenchClient = Client<paths, 'application/json'>;

export interface WorkbenchClientOptions {
  /** Of the API, with its prefix if it has one: https://cloud.example/api. */
  baseUrl: string;
  /** What each request bears. A function is asked anew each time, since tokens expire. */
  token?: string | (() => string | Promise<string>) | undefined;
  /** In whose name it asks, where no token says so. */
  userId?: string | undefined;
}

export function createWorkbenchClient({ baseUrl, token, userId }: WorkbenchClientOptions): WorkbenchClient {
  const written = createQuerySerializer();
  // As part of the query and not on a request that is made: in browsers its body could not be sent a second time.
  const querySerializer = (query: Record<string, unknown>) =>
    written(userId === undefined ? query : { ...query, user_id: userId });
  const client = createClient<paths, 'application/json'>({ baseUrl, querySerializer });
  client.use({
    async onRequest({ request }) {
      const bearer = typeof token === 'function' ? await token() : token;
      if (bearer !== undefined) request.headers.set('authorization', `Bearer ${bearer}`);
      return request;
    },
  });
  return client;
}
