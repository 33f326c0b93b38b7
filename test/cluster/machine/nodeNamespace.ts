import { existsSync, readFileSync } from 'node:fs';
import { startComponent, type Component } from '../run/component.ts';
import { recordProcess, saveRecord, type RunDirectory } from '../run/runDirectory.ts';
import { until } from '../run/until.ts';
import { compiledInPaths, makeMountPoints } from './mountPoints.ts';

/**
 * The real node lives in a mount and a process namespace of its own. Every mount that containerd and the kubelet make
 * is invisible outside, and when the first process of the namespace ends, the kernel kills all others (shims and
 * containers included) and takes the mounts along. So nothing has to be found and unmounted one by one afterwards.
 * The network stays the machine's: tests and Traefik reach Pods on the bridge.
 */
export interface NodeNamespace {
  first: Component;
  /** The command line that runs a program inside. */
  inside(command: string, args: string[]): { command: string; args: string[] };
}

/** The name under which the first process inside is on record. */
export const nodeInit = 'node-init';

/** The components that are, outside, only the parent of a process inside. */
export const runsInNode = ['node-namespace', 'containerd', 'kubelet', 'kube-proxy', 'felix'];

/**
 * The kubelet sets these to values of its own (a panic restarts the machine after 10 s, for one) and leaves them so; the
 * last is set by Felix and the ptp plugin. In the node's namespace each is covered by a file that holds the machine's value
 * and takes theirs.
 */
const coveredSysctls = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
  'net/ipv4/ip_forward',
];

const prepare = `
set -e
mount --make-rshared /
ready="$1"; pause="$2"; covers="$3"; shift 3
for name in ${coveredSysctls.join(' ')}; do
  mkdir -p "$covers/$(dirname $name)"
  cat "/proc/sys/$name" > "$covers/$name"
  mount --bind "$covers/$name" "/proc/sys/$name"
done
for point; do mount -t tmpfs -o mode=755 workbench-node "$point"; done
touch "$ready"
exec "$pause"
`;

export async function startNodeNamespace(run: RunDirectory, pause: string): Promise<NodeNamespace> {
  run.record.madeDirectories = makeMountPoints();
  saveRecord(run);
  const ready = run.path('tmp', 'node-ready');
  // Propagation "slave": mounts of the machine still come in, none of ours goes out.
  const namespaces = ['--mount', '--propagation', 'slave', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const first = startComponent(run, {
    name: 'node-namespace',
    command: 'unshare',
    args: [...namespaces, '--', 'sh', '-c', prepare, 'node', ready, pause, run.path('sysctls'), ...compiledInPaths],
  });
  await until('The namespace of the real node', 10, [first], () => existsSync(ready));
  // The first process inside ends only after all others in there: who cleans up waits for it.
  const child = readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').trim();
  recordProcess(run, nodeInit, Number(child));

  const handles = `/proc/${first.pid}/ns`;
  return {
    first,
    inside: (command, args) => ({
      command: 'nsenter',
      args: [`--mount=${handles}/mnt`, `--pid=${handles}/pid_for_children`, '--', command, ...args],
    }),
  };
}
