/**
 * The item at each change, as server-sent events. An event's id is a hash of what it says: whoever comes back with it, at
 * whichever replica, is told nothing that it knows already.
 */
import { hash } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { decodeJwt } from 'jose';
import type { Held } from './held.ts';
import { textOf } from './items.ts';
import type { Seen } from './workbenches.ts';

const BEAT_MS = 15_000;
const LIFE_MS = 3_600_000;

interface Stream {
  response: ServerResponse;
  /** Says what is so, if that is news. */
  push: () => void;
  /** When it ends at the latest, by the clock: who asks is looked at anew then. */
  endsAt: number;
  end: () => void;
}

export interface Opening {
  user: string;
  id: string;
  /** As it was when it was asked for. */
  first: Seen;
  /** As it is now; undefined: gone, or not this user's any more. */
  look: () => Seen | undefined;
  headers: IncomingHttpHeaders;
  response: ServerResponse;
}

/** @returns what makes a stream of a response. @throws Problem 429, 503 */
export function createStreams(held: Held): (opening: Opening) => void {
  const open = new Set<Stream>();
  let beat: NodeJS.Timeout | undefined;

  function onBeat(): void {
    const now = Date.now();
    for (const { response, endsAt, push, end } of open) {
      if (now >= endsAt) end();
      else push();
      if (!response.writableEnded && !response.writableNeedDrain) response.write(':\n\n');
    }
  }

  return ({ user, id, first, look, headers, response }) => {
    let sent = headers['last-event-id'];
    /** Only what there is now, and only to who has read what was there before. */
    const push = () => {
      if (response.writableNeedDrain || !open.has(stream)) return;
      try {
        const seen = look();
        // Not shared any more, perhaps: it is looked at again at the next beat.
        if (seen && !seen.isSure) return;
        if (seen?.uid !== first.uid) {
          response.write(`event: deleted\ndata: ${JSON.stringify({ workbench_id: id })}\n\n`);
          return end();
        }
        const text = textOf(seen.item);
        const version = hash('sha256', text, 'base64url').slice(0, 16);
        if (version === sent) return;
        sent = version;
        response.write(`id: ${version}\ndata: ${text}\n\n`);
      } catch {
        // A defect; whoever comes back for it reads about it.
        end();
      }
    };
    const letGo = () => {
      release();
      open.delete(stream);
      if (open.size === 0) clearInterval(beat);
    };
    const end = () => {
      letGo();
      // What is not read by now is not waited for.
      if (response.writableNeedDrain) response.destroy();
      else response.end();
    };
    const stream: Stream = { response, push, endsAt: Math.min(Date.now() + LIFE_MS, endOf(headers)), end };
    const release = held.hold(user, id, {
      onChange: push,
      onEnd: () => {
        push();
        end();
      },
    });
    if (open.size === 0) beat = setInterval(onBeat, BEAT_MS);
    open.add(stream);
    response.on('close', letGo).on('drain', push);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Nothing comes after it, so nobody keeps the connection for that.
      connection: 'close',
      // nginx would keep events until it has many.
      'x-accel-buffering': 'no',
    });
    // Not all at once, where a replica that ends lets go of many.
    response.write(`retry: ${1_000 + Math.floor(Math.random() * 2_000)}\n\n`);
    push();
    if (held.isEnding || response.req.method === 'HEAD') end();
  };
}

/** Of the token that has just been found valid; a key has no end. */
function endOf({ authorization = '' }: IncomingHttpHeaders): number {
  try {
    return (decodeJwt(authorization.replace(/^Bearer +/i, '')).exp ?? Infinity) * 1000;
  } catch {
    return Infinity;
  }
}
