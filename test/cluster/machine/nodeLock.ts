import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { isAlive, type Identity } from '../run/identity.ts';
import { waitUntil } from '../run/waitUntil.ts';
import { command } from './command.ts';

/**
 * A real node takes names that exist once per machine: the bridge, its address range, the cgroup root. So there is one
 * at a time, under this lock. The kernel holds it (flock), hence it ends with its holder even on `kill -9` and two
 * starters can never both get it; the content only says who holds it, or whose leftovers are to be cleaned up.
 */
export const nodeLockPath = '/run/workbench-cluster.lock';

export interface LockHolder extends Identity {
  who: string;
  since: string;
  dir: string;
}

export interface NodeLock {
  /** The run that held the lock last and did not give it back: it was killed. */
  left: LockHolder | undefined;
  /** The descriptor of the open file; whoever inherits it holds the lock as well. */
  fd: number;
  write(holder: LockHolder): void;
  release(): void;
}

export function takeNodeLock(): NodeLock {
  for (;;) {
    // When its holder is dead, the janitor has it for the moment that it takes to clean up.
    waitUntil('the leftovers of a run that was killed to be cleaned up', () => !isHeldByTheDead());
    const fd = openSync(nodeLockPath, 'a+', 0o600);
    if (!flock(fd)) {
      const holder = readHolder(fd);
      closeSync(fd);
      throw new Error(heldSentence(holder));
    }
    // The former holder removed the file between our opening and locking it: this one locks nothing any more.
    if (fstatSync(fd).ino !== statSync(nodeLockPath, { throwIfNoEntry: false })?.ino) {
      closeSync(fd);
      continue;
    }
    return {
      fd,
      left: readHolder(fd),
      write: (holder) => {
        ftruncateSync(fd);
        writeSync(fd, JSON.stringify(holder));
      },
      release: () => {
        rmSync(nodeLockPath, { force: true });
        closeSync(fd);
      },
    };
  }
}

/** The sentence about the living holder; undefined when the lock is free or about to be. */
export function nodeLockHeld(): string | undefined {
  const holder = lookUp();
  return holder.held && !isHeldByTheDead() ? heldSentence(holder.by) : undefined;
}

function isHeldByTheDead(): boolean {
  const { held, by } = lookUp();
  return held && by !== undefined && !isAlive(by);
}

function lookUp(): { held: boolean; by?: LockHolder | undefined } {
  if (statSync(nodeLockPath, { throwIfNoEntry: false }) === undefined) return { held: false };
  const fd = openSync(nodeLockPath, 'a+', 0o600);
  try {
    return flock(fd) ? { held: false } : { held: true, by: readHolder(fd) };
  } finally {
    closeSync(fd);
  }
}

/** For the janitor, which inherited the lock: removes the file if it is still the one of this run. */
export function releaseNodeLockOf(dir: string): void {
  try {
    const holder = JSON.parse(readFileSync(nodeLockPath, 'utf8')) as LockHolder;
    if (holder.dir === dir && !isAlive(holder)) rmSync(nodeLockPath);
  } catch {
    // It was given back already.
  }
}

/** The lock belongs to the open file, which the child shares: it stays ours when the child has ended. */
function flock(fd: number): boolean {
  return command('flock', ['--exclusive', '--nonblock', '3'], { fd }).ok;
}

function readHolder(fd: number): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(`/proc/self/fd/${fd}`, 'utf8')) as LockHolder;
  } catch {
    return undefined;
  }
}

export function heldSentence(holder: LockHolder | undefined): string {
  if (holder === undefined) return 'A real-node cluster is just being started on this machine: try again in a moment.';
  const end = holder.who === 'npm run local' ? '"npm run local:down"' : `"kill ${holder.pid}", or wait for it`;
  return `There is one real-node cluster per machine, and ${holder.who} (pid ${holder.pid}, since ${holder.since}, ${holder.dir}) has it: end it with ${end}.`;
}
