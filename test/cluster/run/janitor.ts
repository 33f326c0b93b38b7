import { isDeepStrictEqual } from 'node:util';
import { releaseNodeLockOf } from '../machine/nodeLock.ts';
import { cleanRun } from './cleanRun.ts';
import { readRecord } from './runDirectory.ts';

/**
 * A process that waits for the end of a run's process and then cleans up what that one did not: after a `kill -9`, and
 * inside jest, whose test files see neither signals nor the exit of their process. It notices by the end of its input,
 * which the kernel closes whatever happens, and holds the machine's lock (descriptor 3) until it is done. A directory that
 * has been cleaned, and taken by another run before this one woke, is none of its business.
 */
const [dir = '', owner = '{}'] = process.argv.slice(2);
process.stdin.on('end', () => {
  if (isDeepStrictEqual(readRecord(dir)?.owner, JSON.parse(owner))) {
    cleanRun(dir);
    releaseNodeLockOf(dir);
  }
  process.exit();
});
process.stdin.resume();
