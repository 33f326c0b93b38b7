/**
 * One pooled HTTP/1.1 transport to the API server. client-node's own opens a TLS connection per call (350 calls/s measured;
 * undici with a pool does thousands). Watches have an agent of their own, so that they never take a writer's connection.
 */
import { isDeepStrictEqual } from 'node:util';
import { Agent, request } from 'undici';
import type { Dispatcher } from 'undici';
import type { Readable } from 'node:stream';
import { describeCall } from './call.ts';
import type { Call } from './call.ts';
import type { Connection, Credentials } from './connect.ts';
import { KubeError, errorFromAnswer, errorFromNetwork } from './errors.ts';

export interface CallOptions {
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  contentType?: string;
  /** Default 15 s: longer than a webhook's usual 10, so that the API server's own word about it arrives. The API server may have committed a write whose answer came later: names are deterministic for that. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface Transport {
  /** @throws KubeError */
  call<T>(method: Dispatcher.HttpMethod, path: string, options?: CallOptions): Promise<T>;
  /** The body of a long answer (a watch), as it comes. @throws KubeError */
  stream(path: string, options: Pick<CallOptions, 'query' | 'signal'>): Promise<Readable>;
  close(): Promise<void>;
}

export const TIMEOUT_MS = 15_000;
/** Enough for 64 writes in flight; more only queue up inside the API server. */
const POOL = 64;

/** @param onCall told of every request when it is over; must not throw */
export function createTransport(connection: Connection, userAgent: string, onCall?: (call: Call) => void): Transport {
  let agents: { tls: Credentials['tls']; calls: Agent; watches: Agent } | undefined;

  async function open(): Promise<{ calls: Agent; watches: Agent; headers: Record<string, string> }> {
    const { tls, headers } = await connection.credentials();
    if (!agents || !isDeepStrictEqual(agents.tls, tls)) {
      const retired = agents;
      const common = { allowH2: false, connect: { ...tls, timeout: 5_000 } };
      agents = {
        tls,
        calls: new Agent({ ...common, connections: POOL, keepAliveTimeout: 60_000 }),
        watches: new Agent({ ...common, headersTimeout: 30_000, bodyTimeout: 0 }),
      };
      // close() lets what is under way end; nobody waits for that.
      void retired?.calls.close();
      void retired?.watches.close();
    }
    return { ...agents, headers: { ...headers, 'user-agent': userAgent, accept: 'application/json' } };
  }

  function url(path: string, query: CallOptions['query']): string {
    const target = new URL(connection.server + path);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    return target.href;
  }

  async function send(
    method: Dispatcher.HttpMethod,
    path: string,
    options: CallOptions,
    agent: 'calls' | 'watches',
  ): Promise<Dispatcher.ResponseData> {
    try {
      const { headers, ...open_ } = await open();
      return await request(url(path, options.query), {
        method,
        dispatcher: open_[agent],
        headers:
          options.body === undefined
            ? headers
            : { ...headers, 'content-type': options.contentType ?? 'application/json' },
        body: options.body === undefined ? null : encoded(options.body),
        ...(options.signal ? { signal: options.signal } : {}),
      });
    } catch (error) {
      throw errorFromNetwork(error);
    }
  }

  /** Tells what became of a request: the code that it ended with, or none. */
  async function told<T>(
    what: Pick<Call, 'verb' | 'resource'>,
    request: () => Promise<{ code: number; value: T }>,
  ): Promise<T> {
    const began = performance.now();
    let code = 0;
    try {
      const answer = await request();
      code = answer.code;
      return answer.value;
    } catch (error) {
      if (error instanceof KubeError) code = error.code;
      throw error;
    } finally {
      onCall?.({ ...what, code, ms: performance.now() - began });
    }
  }

  return {
    call<T>(method: Dispatcher.HttpMethod, path: string, options: CallOptions = {}) {
      return told(describeCall(method, path, false), async () => {
        const limit = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
        const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
        const { statusCode, headers, body } = await send(method, path, { ...options, signal }, 'calls');
        const answer = parse(await body.text().catch((error: unknown) => Promise.reject(errorFromNetwork(error))));
        if (statusCode >= 300) throw errorFromAnswer(statusCode, answer, headers['retry-after']?.toString());
        return { code: statusCode, value: answer as T };
      });
    },
    stream(path, options) {
      return told(describeCall('GET', path, true), async () => {
        const { statusCode, headers, body } = await send('GET', path, options, 'watches');
        if (statusCode >= 300) {
          const answer = parse(await body.text().catch(() => ''));
          throw errorFromAnswer(statusCode, answer, headers['retry-after']?.toString());
        }
        return { code: statusCode, value: body };
      });
    },
    async close() {
      await Promise.all([agents?.calls.destroy(), agents?.watches.destroy()]);
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** As Go writes it: a `test` in a JSON Patch compares texts letter by letter, escapes and all. */
function encoded(body: unknown): string {
  return JSON.stringify(body).replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
}
