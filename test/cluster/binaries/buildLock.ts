import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { command } from '../machine/command.ts';

/**
 * Two runs that need the same binary build it once: the second waits for the first. Only a courtesy to the processor,
 * for the renaming in build.ts is safe without it; so where there is no flock, nobody waits.
 */
export async function holdBuildLock(path: string, waiting: () => void): Promise<() => void> {
  const fd = openSync(path, 'a', 0o600);
  const hasFlock = command('flock', ['--version']).ok;
  for (let first = true; hasFlock && !command('flock', ['--nonblock', '3'], { fd }).ok; first = false) {
    if (first) waiting();
    await delay(500);
  }
  return () => closeSync(fd);
}
