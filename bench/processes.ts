/** What a process has used, from /proc. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** utime and stime of a line of /proc/PID/stat, in ms; the command's name in it may hold anything. */
export function cpuMsFrom(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Since its start, user and system time. */
export function cpuMs(pid: number): number {
  return cpuMsFrom(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** Megabytes of 10⁶ bytes. */
export function rssMB(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return (Number(kibibytes) * 1024) / 1e6;
}

/** Of each process of a cluster, by its name there, from the records in its directory. */
export function controlPlaneCpuMs(clusterDir: string): Record<string, number> {
  const folder = join(clusterDir, 'pids');
  const used = readdirSync(folder).map((file) => {
    const { pid } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { pid: number };
    return [basename(file, '.json'), cpuMs(pid)] as const;
  });
  return Object.fromEntries(used);
}

/** The same, less what it was before. */
export function spentSince(before: Record<string, number>, clusterDir: string): Record<string, number> {
  const now = Object.entries(controlPlaneCpuMs(clusterDir));
  return Object.fromEntries(now.map(([name, ms]) => [name, ms - (before[name] ?? 0)]));
}
