/** A GET that is answered when a status is reached: no polling on either side. */
import type { ServerResponse } from 'node:http';
import type { Held } from './held.ts';
import { noSuchWorkbench } from './problem.ts';
import type { Item } from './shapes.ts';

export interface Wait {
  user: string;
  id: string;
  statuses: readonly Item['status'][];
  seconds: number;
  /** As it is now; undefined: gone, or not this user's any more. */
  look: () => Item | undefined;
  /** Whoever has gone away waits no longer. */
  response: ServerResponse;
}

/** @returns the item, with one of the statuses or as it is when the time is up. @throws Problem 404 when it goes, 429 */
export function waitFor(held: Held, { user, id, statuses, seconds, look, response }: Wait): Promise<Item> {
  return new Promise((resolve, reject) => {
    let release = () => {};
    let timer: NodeJS.Timeout | undefined;
    const letGo = () => {
      release();
      clearTimeout(timer);
      response.off('close', letGo);
    };
    const judge = (isOver: boolean) => {
      try {
        const item = look();
        if (!item) throw noSuchWorkbench(id);
        if (!isOver && !statuses.includes(item.status)) return;
        // Whoever asks again must not come to who is about to go.
        if (held.isEnding) response.setHeader('connection', 'close');
        resolve(item);
      } catch (error) {
        reject(error as Error);
      }
      letGo();
    };
    release = held.hold(user, id, { onChange: () => judge(false), onEnd: () => judge(true) });
    timer = setTimeout(judge, seconds * 1000, true);
    response.on('close', letGo);
    judge(held.isEnding);
  });
}
