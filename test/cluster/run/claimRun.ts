import { basename, resolve } from 'node:path';
import { takeNodeLock, type NodeLock } from '../machine/nodeLock.ts';
import { cleanDeadRuns, temporaryRuns } from './cleanDeadRuns.ts';
import { cleanRun } from './cleanRun.ts';
import { hireJanitor } from './hireJanitor.ts';
import { endProcesses } from './endProcesses.ts';
import { isAlive } from './identity.ts';
import { isInterrupted, onExit, onInterrupt } from './interrupt.ts';
import { openRunDirectory, readRecord, saveRecord, type RunDirectory } from './runDirectory.ts';

export interface Claim {
  run: RunDirectory;
  /** Resolves to what the start gives; when it fails, everything is ended first. */
  orEnd<T>(start: () => Promise<T>): Promise<T>;
  /** Ends all that was started; calling it again does nothing. */
  end(): Promise<void>;
}

/** Takes what a run needs for itself (the machine's lock, a directory) and cleans up after dead ones before. */
export function claimRun(
  nodes: 'real' | 'simulated',
  wanted: string | undefined,
  report: (line: string) => void,
): Claim {
  if (wanted !== undefined) refuseLivingRun(resolve(wanted));
  const lock = nodes === 'real' ? takeNodeLock() : undefined;
  const run = openOrRelease(nodes, wanted, lock, report);
  lock?.write({ ...run.record.owner, who: whoAmI(), since: run.record.startedAt, dir: run.dir });

  const janitorLeaves = hireJanitor(run, lock?.fd);
  const end = (): void => {
    forget();
    forgetInterrupt();
    cleanRun(run.dir);
    lock?.release();
  };
  const forget = onExit(end);
  // Of an interrupted run only the processes are ended and reaped here; the exit handler cleans up, also after what a
  // start that is under way may have made in between.
  const forgetInterrupt = onInterrupt(async () => {
    endProcesses(run.dir);
    await reaped(run);
  });
  let ended = false;
  return {
    run,
    end: async () => {
      if (!ended) end();
      ended = true;
      await Promise.all([reaped(run), janitorLeaves()]);
    },
    orEnd: async (start) => {
      try {
        return await start();
      } catch (error) {
        // The exit handler is about to clean up and end the process; a caller that reported this failure and exited
        // by itself would only overtake it.
        if (isInterrupted()) return new Promise(() => {});
        ended = true;
        keepLogs(run, report);
        end();
        await Promise.all([reaped(run), janitorLeaves()]);
        throw error;
      }
    },
  };
}

async function reaped(run: RunDirectory): Promise<void> {
  await Promise.all(run.ends.map((ended) => ended()));
}

function openOrRelease(
  nodes: 'real' | 'simulated',
  wanted: string | undefined,
  lock: NodeLock | undefined,
  report: (line: string) => void,
): RunDirectory {
  try {
    const known = [wanted === undefined ? undefined : resolve(wanted), lock?.left?.dir, ...temporaryRuns()];
    const dirs = known.filter((dir) => dir !== undefined);
    cleanDeadRuns(nodes, dirs, report);
    return openRunDirectory(nodes, wanted);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

function refuseLivingRun(dir: string): void {
  const record = readRecord(dir);
  if (record !== undefined && isAlive(record.owner)) {
    throw new Error(
      `The directory ${dir} belongs to a cluster that is running (pid ${record.owner.pid}): end that one first, or name another directory.`,
    );
  }
}

/** A directory of which only the logs stay: the error that is about to be thrown points there. */
function keepLogs(run: RunDirectory, report: (line: string) => void): void {
  run.record.temporary = false;
  saveRecord(run);
  report(`the start failed; the logs are kept in ${run.path('logs')}`);
}

function whoAmI(): string {
  const script = basename(process.argv[1] ?? 'node');
  return script === 'local.ts' ? 'npm run local' : script;
}
