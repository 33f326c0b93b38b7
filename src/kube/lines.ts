/** The body of a watch, line by line. */
import type { Readable } from 'node:stream';
import { KubeError } from './errors.ts';

/** Whole lines only: what follows the last newline of a cut stream is half an event. (node:readline swallows a stream's error.) */
export async function* lines(body: Readable): AsyncGenerator<string> {
  let rest = '';
  const chunks = (body.setEncoding('utf8') as AsyncIterable<string>)[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await chunks.next().catch((error: unknown) => Promise.reject(errorFromCut(error)));
    if (done) return;
    const parts = (rest + value).split('\n');
    rest = parts.pop()!;
    yield* parts;
  }
}

export function errorFromCut(cause: unknown): KubeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new KubeError('unreachable', 0, { message: `the watch was cut: ${why}` }, undefined, { cause });
}
