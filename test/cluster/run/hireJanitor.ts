import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RunDirectory } from './runDirectory.ts';

const script = fileURLToPath(new URL('janitor.ts', import.meta.url));

/** Starts the janitor of a run; the function it returns sends it home, once there is nothing left to clean. */
export function hireJanitor({ dir, record }: RunDirectory, lock: number | undefined): () => Promise<void> {
  const stdio: ('pipe' | 'ignore' | number)[] = ['pipe', 'ignore', 'ignore'];
  if (lock !== undefined) stdio.push(lock);
  // In a session of its own, out of reach of the terminal's Ctrl-C and hang-up.
  const child = spawn(process.execPath, [script, dir, JSON.stringify(record.owner)], { detached: true, stdio });
  const ended = once(child, 'close');
  child.unref();
  return async () => {
    child.ref();
    child.stdin?.end();
    await ended;
  };
}
