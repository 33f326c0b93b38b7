/** Processes of this run's node, as the host sees them: found by their environment or their arguments, never by name alone. */
import { readdirSync, readFileSync } from 'node:fs';

function read(pid: string, file: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    // It ended meanwhile.
    return [];
  }
}

function find(matches: (pid: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && matches(name))
    .map(Number);
}

/** The workbench's own process, in its container. @throws when there is not exactly one */
export function processOf(workbench: string): number {
  return one(
    `workbench ${workbench}`,
    find((pid) => read(pid, 'environ').includes(`WORKBENCH_ID=${workbench}`)),
  );
}

/** A part of the cluster that lives in this directory. @throws when there is not exactly one */
export function componentOf(dir: string, name: string): number {
  const isOurs = (pid: string) => {
    const [command = '', ...args] = read(pid, 'cmdline');
    return command.endsWith(`/${name}`) && args.some((arg) => arg.includes(dir));
  };
  return one(name, find(isOurs));
}

function one(what: string, pids: number[]): number {
  if (pids.length !== 1) throw new Error(`There are ${pids.length} processes of ${what}, not one: ${pids.join(', ')}`);
  return pids[0]!;
}
