import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { command } from './command.ts';

/** The host's ends of the cables of Pods whose traffic is judged; nobody else's interface begins like this. */
export const cablePrefix = 'wbp-';

/** Felix knows a Pod's cable by this name and no other; with the prefix it has the longest length that the kernel takes. */
export function cableName(namespace: string, pod: string): string {
  return cablePrefix + createHash('sha1').update(`${namespace}.${pod}`).digest('hex').slice(0, 11);
}

/** The kernel frees a dead Pod's network only after a while. */
export function removeCables(): void {
  const ours = readdirSync('/sys/class/net').filter((name) => name.startsWith(cablePrefix));
  for (const name of ours) command('ip', ['link', 'delete', name]);
}
