import { command } from './command.ts';

/** Felix's sets of addresses, which its rules refer to: they go after those. Without the tool there are none. */
export function removeIpSets(): void {
  const names = command('ipset', ['list', '-name']).output.split('\n');
  for (const name of names.filter((one) => /^cali[46]/.test(one))) command('ipset', ['destroy', name]);
}
