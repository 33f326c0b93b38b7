import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Paths that containerd, the kubelet, the CNI plugins and Felix have compiled in, whatever their configuration says. The
 * node's own mount namespace covers each with a tmpfs, so nothing in them ever reaches the machine.
 */
export const compiledInPaths = [
  '/run/mount', // First, because mount(8) itself keeps its notes there.
  '/run/containerd',
  '/run/netns',
  '/var/lib/calico',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/containers',
];

/** Makes those that are missing and returns every directory it made, innermost first. */
export function makeMountPoints(): string[] {
  const made: string[] = [];
  for (const path of compiledInPaths) {
    const missing: string[] = [];
    for (let directory = path; !existsSync(directory); directory = dirname(directory)) missing.push(directory);
    mkdirSync(path, { recursive: true });
    made.push(...missing);
  }
  return made;
}

/** Only what is still empty: somebody may have begun to use one of them meanwhile. */
export function removeMountPoints(made: string[]): void {
  for (const directory of made) {
    try {
      rmdirSync(directory);
    } catch {
      // Gone already, or in use now.
    }
  }
}
