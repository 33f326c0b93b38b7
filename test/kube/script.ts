/** A Transport that answers from a script, in order, and ends the reflector when the script is over. No HTTP, no server. */
import { Readable } from 'node:stream';
import { Collection } from '../../src/kube/collection.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import type { ReflectorOptions } from '../../src/kube/reflector.ts';
import type { CallOptions, Transport } from '../../src/kube/transport.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';

/** A page of a list, the body of a watch, an error; or what makes one of them at the moment it is asked for. */
export type Answer = object | (() => object);

export interface Told {
  error: unknown;
  retryInMs: number;
}

export const lab = (version: string, name = 'lab'): KubeObject => ({
  metadata: { name, uid: `uid-of-${name}`, resourceVersion: version },
});

export const page = (version: string, items: KubeObject[] | null, next = '') => ({
  metadata: { resourceVersion: version, continue: next },
  items,
});

export const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
export const bookmark = (version: string) => line('BOOKMARK', { metadata: { resourceVersion: version } });

/** A watch that brings these chunks and then ends, as the API server ends each one after some minutes. */
export function watch(...chunks: (string | Buffer)[]): () => Readable {
  return () =>
    Readable.from(
      chunks.map((chunk) => Buffer.from(chunk as string)),
      { objectMode: false },
    );
}

/** A watch that brings these bytes and is then cut. */
export function cut(text: string, error = new Error('ECONNRESET')): () => Readable {
  return () => {
    const body = new Readable({ read: () => undefined });
    body.push(text);
    body.once('data', () => setImmediate(() => body.destroy(error)));
    return body;
  };
}

/** A watch on which nothing comes, ever. */
export const silent = () => new Readable({ read: () => undefined });

/** Runs a reflector until the script is over. What was asked reads "list", "list after TOKEN", "watch from VERSION". */
export async function reflect(
  answers: Answer[],
  more: Partial<ReflectorOptions<KubeObject>> = {},
  begin: (reflector: Reflector<KubeObject>) => void = () => undefined,
) {
  const asked: string[] = [];
  const told: Told[] = [];
  const stop = new AbortController();

  async function answer(what: string, signal: AbortSignal | undefined): Promise<object> {
    const next = answers[asked.length];
    if (next === undefined) {
      stop.abort();
      throw new Error('the script is over');
    }
    asked.push(what);
    const given = typeof next === 'function' ? (next as () => object)() : next;
    if (given instanceof Error) throw given;
    if (given instanceof Readable) signal?.addEventListener('abort', () => given.destroy(signal.reason as Error));
    return given;
  }

  const transport: Transport = {
    call: <T>(_method: string, _path: string, { query, signal }: CallOptions = {}) =>
      answer(query?.continue ? `list after ${query.continue}` : 'list', signal) as Promise<T>,
    stream: (_path, { query, signal }) => answer(`watch from ${query?.resourceVersion}`, signal) as Promise<Readable>,
    close: () => Promise.resolve(),
  };
  const collection = new Collection<KubeObject>();
  const reflector = new Reflector<KubeObject>({
    info: { kind: 'Thing', trim: (object) => object },
    path: '/things',
    transport,
    collection,
    signal: stop.signal,
    onProblem: ({ error, retryInMs }) => told.push({ error, retryInMs }),
    longestPauseMs: 1,
    ...more,
  });
  begin(reflector);
  await reflector.run();
  const names = [...collection.values()].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
  return { asked, told, names, reflector };
}
