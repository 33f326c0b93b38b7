/** The REST facade as a client sees it: what a portal would do, with polling where a portal would poll. */
import { errorSchema, itemSchema, shareItemSchema } from '../src/rest/shapes.ts';
import { eventually } from './eventually.ts';

export interface Item {
  user_id: string;
  workbench_id: string;
  status: string;
  public_endpoint: string;
  [field: string]: unknown;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: {
    success?: boolean;
    item?: Item;
    items?: Item[];
    continue?: string;
    error?: { message: string; reason: string };
  };
}

export interface More {
  query?: Record<string, string>;
  headers?: Record<string, string>;
}

export interface Client {
  /** Any call; `path` begins after /workbenches. */
  call: (method: string, path?: string, body?: unknown, more?: More) => Promise<Answer>;
  create: (body?: unknown) => Promise<Item>;
  get: (id: string) => Promise<Item>;
  start: (id: string) => Promise<void>;
  stop: (id: string) => Promise<void>;
  /** Polls until the status is reached; rejects with the last item when it takes too long (default 120 s). */
  until: (id: string, status: string, timeoutMs?: number) => Promise<Item>;
  /** Polls until a deleted workbench is gone. */
  untilGone: (id: string, timeoutMs?: number) => Promise<void>;
}

/** The ones that the API's description is made from. @throws ZodError */
function holdAgainstSchemas(path: string, status: number, body: Answer['body']): void {
  if (status >= 400) errorSchema.parse(body);
  const schema = path.endsWith('/shares') ? shareItemSchema : itemSchema;
  for (const item of [body.item ?? [], body.items ?? []].flat()) schema.parse(item);
}

/** @param user whom `user_id` names; undefined: nobody. @param token that it bears */
export function client(rest: string, user: string | undefined, token?: string): Client {
  const asking: Record<string, string> = user === undefined ? {} : { user_id: user };
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function call(method: string, path = '', body?: unknown, more: More = {}): Promise<Answer> {
    const query = new URLSearchParams({ ...asking, ...more.query }).toString();
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`${rest}/workbenches${path}${query && `?${query}`}`, {
      method,
      headers: { ...authorization, ...type, ...more.headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answered = (await response.json()) as Answer['body'];
    holdAgainstSchemas(path, response.status, answered);
    return { status: response.status, headers: response.headers, body: answered };
  }

  async function succeed(method: string, path?: string, body?: unknown): Promise<Answer['body']> {
    const answer = await call(method, path, body);
    if (!answer.body.success)
      throw new Error(`${method} ${path ?? ''} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  const get = async (id: string) => (await succeed('GET', `/${id}`)).item!;
  return {
    call,
    get,
    create: async (body) => (await succeed('POST', '', body)).item!,
    start: async (id) => void (await succeed('POST', `/${id}/start`)),
    stop: async (id) => void (await succeed('POST', `/${id}/stop`)),
    until: (id, status, timeoutMs) =>
      eventually(
        status,
        () => get(id),
        (item) => item.status === status,
        timeoutMs,
      ),
    async untilGone(id, timeoutMs) {
      await eventually(
        'gone',
        () => call('GET', `/${id}`),
        ({ status }) => status === 404,
        timeoutMs,
      );
    },
  };
}
