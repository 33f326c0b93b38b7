import { readFileSync } from 'node:fs';

/**
 * A process, named so that it can never be mistaken for another. A pid alone is recycled; a pid with its start time
 * and the boot it belongs to is unique, so a record left by a killed run never leads to a stranger's death.
 */
export interface Identity {
  pid: number;
  startTime: string;
}

/** The process that has this pid now; undefined when there is none or only its zombie. */
export function identify(pid: number): Identity | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    // A zombie runs nothing any more: it waits for its parent to notice.
    if (stat.state === 'Z' || stat.state === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { pid, startTime: `${boot}/${stat.startTime}` };
  } catch {
    return undefined;
  }
}

export function isAlive(identity: Identity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** The fields of /proc/PID/stat after the command name, which may itself hold spaces and brackets. */
export function parseStat(stat: string): { state: string; startTime: string } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (state === undefined || startTime === undefined) throw new Error('not the stat of a process');
  return { state, startTime };
}
