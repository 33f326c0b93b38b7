import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../machine/command.ts';

/** What a cluster could leave on a machine, as lines that can be compared. */
export function machineState(dir: string): string[] {
  return [
    ...processesOf(dir).map((name) => `process ${name}`),
    ...readFileSync('/proc/self/mounts', 'utf8')
      .trim()
      .split('\n')
      .map((line) => `mount ${line}`),
    ...readdirSync('/sys/class/net').map((name) => `interface ${name}`),
    ...listed('/run/netns').map((name) => `network namespace ${name}`),
    ...['/run', '/var/lib', '/var/log'].flatMap((path) => listed(path).map((name) => `${path}/${name}`)),
    ...['iptables', 'ip6tables'].flatMap((tool) => rules(tool).map((rule) => `${tool} ${rule}`)),
    ...ipSets().map((name) => `ipset ${name}`),
    ...cgroups().map((path) => `cgroup ${path}`),
    ...command('nfacct', ['list'])
      .output.split('\n')
      .map((line) => `counter ${line.replace(/^.*}/, '')}`),
    ...['rule', 'route'].flatMap((what) =>
      command('ip', [what])
        .output.trim()
        .split('\n')
        .map((line) => `ip ${what} ${line}`),
    ),
    ...sysctls().map((line) => `sysctl ${line}`),
  ];
}

export function difference(before: string[], after: string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...after.filter((line) => !old.has(line)).map((line) => `left behind: ${line}`),
    ...before.filter((line) => !now.has(line)).map((line) => `taken away: ${line}`),
  ];
}

/** Every component has the run's directory in its environment, and so has what it starts, whatever its name. */
function processesOf(dir: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return environment.includes(`HOME=${dir}\0`) ? [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()] : [];
    } catch {
      return []; // Not a process, or just gone.
    }
  });
}

/** Containers do not inherit that environment; their cgroups give them away. Other ones come and go with logins. */
function cgroups(): string[] {
  const all = command('find', ['/sys/fs/cgroup', '-type', 'd']).output.split('\n');
  return all.filter((path) => /workbench|kube|containerd|cri-/.test(path));
}

/**
 * Rules and chains, without counters. An empty built-in chain that accepts is the same as none: any use of iptables
 * makes it, and it cannot be removed again.
 */
function rules(tool: string): string[] {
  const { ok, output } = command(`${tool}-save`, []);
  if (!ok) return [];
  return output
    .split(/^(?=\*)/m)
    .flatMap((table) => {
      const [name, ...lines] = table.split('\n');
      return lines.map((line) => `${name} ${line.replace(/ \[\d+:\d+\]$/, '')}`);
    })
    .filter((line) => /^\*\S+ [:-]/.test(line) && !/^\S+ :\S+ ACCEPT$/.test(line));
}

/** The tool is there only where policies were enforced once. */
function ipSets(): string[] {
  const { ok, output } = command('ipset', ['list', '-name']);
  return ok ? output.trim().split('\n') : [];
}

/** Values that the kernel itself changes all the time. */
const restless =
  /^(fs\/|kernel\/(random|ns_last_pid|pty\/nr|perf_event|sched_domain)|net\/netfilter\/nf_conntrack_count|net\/ipv[46]\/(conf|neigh)\/(?!all|default))/;

function sysctls(): string[] {
  const root = '/proc/sys/';
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !restless.test(name))
    .flatMap((name) => {
      try {
        return [`${name} = ${readFileSync(join(root, name), 'utf8').trim()}`];
      } catch {
        return []; // A directory, or one that can only be written.
      }
    });
}

function listed(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
