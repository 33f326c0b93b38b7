/** The answer to a watch on its way through the proxy, line by line, with what the rules do to its events. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Play } from './play.ts';
import { refusal } from './refusal.ts';
import type { Action, EventType } from './rules.ts';

export interface StreamOptions {
  resource: string;
  plays: () => readonly Play[];
  /** What is done to the controller, not to the stream. */
  befall: (action: Action, play: Play) => Promise<void>;
  /** From here on it does not tell all, though it is open. */
  onDeaf: () => void;
}

/** An event that waits for its successor must be told some time. */
const REORDER_MS = 300;

/** Resolves when the stream has ended, or is cut. */
export async function passEvents(
  answer: IncomingMessage,
  response: ServerResponse,
  { resource, plays, befall, onDeaf }: StreamOptions,
): Promise<void> {
  const kept = new Map<Play, { line: string; timer: NodeJS.Timeout }>();
  const send = (line: string) => void (response.writableEnded || response.write(`${line}\n`));
  function flush(play: Play): void {
    const event = kept.get(play);
    if (!event) return;
    clearTimeout(event.timer);
    kept.delete(play);
    send(event.line);
  }

  for await (const line of lines(answer)) {
    const { type, name, owner } = eventOf(line);
    const play = name === undefined ? undefined : plays().find((one) => one.owns(name, owner));
    if (!play) {
      send(line);
      continue;
    }
    // It dies before this could reach it.
    if (play.dying) continue;
    const happening = { verb: 'watch', resource, event: type } as const;
    const action = play.next(happening);
    play.note({ ...happening, ...(name === undefined ? {} : { name }), ...(action ? { fault: action } : {}) });
    switch (action?.do) {
      case 'swallow':
        // What was not told is in the list that follows a watch which ends in its time.
        setTimeout(() => response.end(), action.endMs);
        onDeaf();
        break;
      case 'duplicate':
        send(line);
        send(line);
        break;
      case 'reorder':
        kept.set(play, { line, timer: setTimeout(() => flush(play), REORDER_MS) });
        continue;
      case 'delay':
        await delay(action.ms);
        send(line);
        break;
      case 'close':
        response.end();
        return;
      case 'status':
        send(JSON.stringify({ type: 'ERROR', object: refusal(action.code) }));
        response.end();
        return;
      case 'truncate':
        // Until it is on its way, a reset would take it along.
        await new Promise((resolve) => response.write(line.slice(0, line.length / 2), resolve));
        response.destroy();
        return;
      case 'drop':
        if (action.when === 'after') await new Promise((resolve) => response.write(`${line}\n`, resolve));
        response.destroy();
        return;
      case 'freeze':
        onDeaf();
        return;
      case 'crash':
        if (action.when === 'after') send(line);
        // Others' events go on meanwhile: a crash waits for them.
        void befall(action, play);
        break;
      case 'stop':
      case 'outage':
        send(line);
        await befall(action, play);
        break;
      default:
        send(line);
    }
    flush(play);
  }
  for (const play of kept.keys()) flush(play);
  response.end();
}

/** @throws Error when the stream is cut */
async function* lines(answer: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop()!;
    yield* parts;
  }
}

function eventOf(line: string): { type: EventType; name?: string; owner?: string } {
  const { type, object } = JSON.parse(line) as {
    type: EventType;
    object: { metadata: { name?: string }; spec?: { owner?: string } };
  };
  const { name } = object.metadata;
  const owner = object.spec?.owner;
  return { type, ...(name === undefined ? {} : { name }), ...(owner === undefined ? {} : { owner }) };
}
