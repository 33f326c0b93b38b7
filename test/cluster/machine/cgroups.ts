import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '../run/waitUntil.ts';

/** Below this every cgroup of the real node's Pods lives, so that removing it removes them all. */
export const cgroupRoot = '/workbench-cluster';

/** The kubelet refuses a cgroupRoot that does not exist in each hierarchy. */
export function makeCgroups(): void {
  for (const { mount, version } of hierarchies()) {
    const root = join(mount, cgroupRoot);
    mkdirSync(root, { recursive: true });
    if (version === 2) delegate(mount);
  }
}

/** Version 2 hands controllers down only where the parent says so; version 1 always does. */
function delegate(mount: string): void {
  for (const directory of [mount, join(mount, cgroupRoot)]) {
    const controllers = readFileSync(join(directory, 'cgroup.controllers'), 'utf8').trim();
    if (controllers === '') continue;
    const all = controllers.split(' ').map((name) => `+${name}`);
    writeFileSync(join(directory, 'cgroup.subtree_control'), all.join(' '));
  }
}

export function removeCgroups(): void {
  for (const { mount } of hierarchies()) {
    const root = join(mount, cgroupRoot);
    // A cgroup can be removed only after its last process was reaped, which may be a moment after it was killed.
    waitUntil(`the processes in ${root} to end`, () => removeTree(root));
  }
}

function removeTree(directory: string): boolean {
  if (!existsSync(directory)) return true;
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(directory, entry.name));
    }
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

function hierarchies(): { mount: string; version: 1 | 2 }[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, mount, type]) => mount?.startsWith('/sys/fs/cgroup') && (type === 'cgroup' || type === 'cgroup2'))
    .map(([, mount = '', type]) => ({ mount, version: type === 'cgroup2' ? 2 : 1 }));
}
