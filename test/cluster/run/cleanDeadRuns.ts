import { lstatSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanRun } from './cleanRun.ts';
import { isAlive } from './identity.ts';
import { readRecord, temporaryPrefix } from './runDirectory.ts';

/**
 * Cleans up after runs that were killed before they could. Dead real-node runs are touched only by the holder of the
 * machine's lock, since their bridge and cgroups carry the same names as those of a living one.
 */
export function cleanDeadRuns(kind: 'real' | 'simulated', dirs: string[], report: (line: string) => void): void {
  for (const dir of new Set(dirs)) {
    const record = readRecord(dir);
    if (record === undefined || record.nodes !== kind || isAlive(record.owner)) continue;
    report(`cleaning up after a run that was killed (pid ${record.owner.pid}, started ${record.startedAt}, ${dir})`);
    try {
      cleanRun(dir);
    } catch (error) {
      // The run's janitor may be at it in the same moment; whoever comes second finds things gone.
      if (readRecord(dir) !== undefined) throw error;
    }
  }
}

/** The directories of runs that were given none. Only those of this user: anybody may write into the temp directory, and records name processes to kill. */
export function temporaryRuns(): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(temporaryPrefix))
    .map((name) => join(tmpdir(), name))
    .filter((dir) => lstatSync(dir, { throwIfNoEntry: false })?.uid === process.getuid?.());
}
