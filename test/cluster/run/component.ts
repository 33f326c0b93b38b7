import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { recordProcess, type RunDirectory } from './runDirectory.ts';
import { lastLines } from './lastLines.ts';

export interface Component {
  name: string;
  pid: number;
  log: string;
  /** Undefined while it runs; how it ended, with the end of its log, afterwards. */
  failure(): string | undefined;
}

export interface ComponentSpec {
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

// runc and its kin live in sbin, which a user's PATH may lack.
const searchPath = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/**
 * Starts a process of the cluster in a process group of its own, so that a terminal's Ctrl-C reaches only the run,
 * which then ends the parts in order. Its identity is on disk before anything else can happen to the run.
 */
export function startComponent(run: RunDirectory, spec: ComponentSpec): Component {
  const log = run.path('logs', `${spec.name}.log`);
  const output = openSync(log, 'a');
  // With the parent-death signal even a `kill -9` of the run takes its processes along, not only at the next start.
  const [command, args] =
    setpriv === undefined
      ? [spec.command, spec.args]
      : [setpriv, ['--pdeathsig', 'KILL', '--', spec.command, ...spec.args]];
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', output, output],
    env: { PATH: searchPath, HOME: run.dir, TMPDIR: run.path('tmp'), ...spec.env },
  });
  closeSync(output);
  // A cluster keeps no process alive that has nothing else to do; whoever waits for an end does.
  child.unref();

  let ended: string | undefined;
  const end = new Promise<void>((resolve) => {
    child.on('error', (error) => resolve(void (ended = error.message)));
    child.on('exit', (code, signal) =>
      resolve(void (ended = signal === null ? `exit code ${code}` : `signal ${signal}`)),
    );
  });
  run.ends.push(() => {
    child.ref();
    return end;
  });
  if (child.pid !== undefined) recordProcess(run, spec.name, child.pid);

  return {
    name: spec.name,
    pid: child.pid ?? 0,
    log,
    failure: () =>
      ended === undefined ? undefined : `${spec.name} ended with ${ended}; the end of ${log}:\n${lastLines(log, 15)}`,
  };
}
