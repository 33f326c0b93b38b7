/** Until a workbench has a status: no polling on either side. */
import type { ServerResponse } from 'node:http';
import type { Held } from './held.ts';
import type { Item } from './shapes.ts';

export interface Wait {
  user: string;
  id: string;
  statuses: readonly Item['status'][];
  seconds: number;
  /** As the store has it; undefined: gone, or not this user's any more. */
  look: () => Item | undefined;
  /** Whoever has gone away waits no longer. */
  response: ServerResponse;
}

/** Resolves when it has one of the statuses, is gone, the time is up, or this process is asked to end. @throws Problem 429, 503 */
export function waitFor(held: Held, { user, id, statuses, seconds, look, response }: Wait): Promise<void> {
  return new Promise((resolve, reject) => {
    const letGo = () => {
      release();
      clearTimeout(timer);
      response.off('close', letGo);
    };
    const judge = (isOver: boolean) => {
      try {
        const item = look();
        if (item && !isOver && !statuses.includes(item.status)) return;
        resolve();
      } catch (error) {
        reject(error as Error);
      }
      letGo();
    };
    const onEnd = () => {
      // Whoever asks again must not come to who is about to go.
      response.setHeader('connection', 'close');
      judge(true);
    };
    const release = held.hold(user, id, { onChange: () => judge(false), onEnd });
    const timer = setTimeout(judge, seconds * 1000, true);
    response.on('close', letGo);
    if (held.isEnding) onEnd();
    else judge(false);
  });
}
