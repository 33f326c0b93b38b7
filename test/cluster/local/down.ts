import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanDeadRuns } from '../run/cleanDeadRuns.ts';
import { isAlive } from '../run/identity.ts';
import { readRecord } from '../run/runDirectory.ts';
import { takeNodeLock } from '../machine/nodeLock.ts';

/** Ends the local cluster of this working tree: by asking its process to, or, when that was killed, in its place. */
export async function endLocal(local: string, report: (line: string) => void): Promise<void> {
  const dir = join(local, 'cluster');
  const record = readRecord(dir);
  if (record === undefined) {
    report('there is no local cluster to end');
    return;
  }
  if (isAlive(record.owner)) {
    report(`asking "npm run local" (pid ${record.owner.pid}) to end`);
    process.kill(record.owner.pid, 'SIGTERM');
    const deadline = Date.now() + 60_000;
    while (isAlive(record.owner)) {
      if (Date.now() > deadline) {
        throw new Error(`It has not ended within 60 s: end it with "kill -9 ${record.owner.pid}" and run this again.`);
      }
      await delay(100);
    }
  }
  // Nothing to do after a proper end; after a kill, its leftovers.
  const lock = record.nodes === 'real' ? takeNodeLock() : undefined;
  try {
    cleanDeadRuns(record.nodes, [dir], report);
  } finally {
    lock?.release();
  }
  for (const name of ['kubeconfig', 'kubectl']) rmSync(join(local, name), { force: true });
  report('ended');
}
