import { saveRecord, type RunDirectory } from '../run/runDirectory.ts';
import { waitUntil } from '../run/waitUntil.ts';
import { command, mustRun } from './command.ts';
import { removeIpSets } from './ipSets.ts';

/**
 * The rules of the packet filter: kube-proxy's, all in chains named KUBE-..., and Felix's in cali-..., of which one
 * Kubernetes per network can have some, and our own in WORKBENCH-FORWARD. They are the machine's, so unlike the rest of
 * the node they do not go with a namespace.
 */
const tools = ['iptables', 'ip6tables'];

/** Kept by the kernel beside the rules that count with them. */
const counters = ['ct_state_invalid_dropped_pkts', 'localhost_nps_accepted_pkts'];

/** From here on such chains are this run's, and its end removes them; so none of Kubernetes' may be there before. */
export function claimPacketRules(run: RunDirectory): void {
  for (const tool of tools) {
    const chain = /^:((?:KUBE|cali)-\S+)/m.exec(command(`${tool}-save`, []).output)?.[1];
    if (chain === undefined) continue;
    throw new Error(
      `Another Kubernetes has its rules on this machine (${tool} chain ${chain}): end it and remove them, for example with "kube-proxy --cleanup".`,
    );
  }
  run.record.packetRules = true;
  saveRecord(run);
}

/**
 * What comes in from a Pod is led to Pods only, lest those of a test reach what the machine reaches. That Pods reach each
 * other is said too, since Docker, for one, drops whatever nobody accepts. `interfaces` is where Pods are, as iptables
 * writes it.
 */
export function forwardBetweenPods(interfaces: string): void {
  const rules = [
    '*filter',
    ':WORKBENCH-FORWARD - [0:0]',
    '-I FORWARD 1 -j WORKBENCH-FORWARD',
    `-A WORKBENCH-FORWARD -i ${interfaces} -o ${interfaces} -j ACCEPT`,
    `-A WORKBENCH-FORWARD -i ${interfaces} -j REJECT`,
    'COMMIT\n',
  ];
  mustRun('iptables-restore', ['--noflush', '--wait'], rules.join('\n'));
}

export function removePacketRules(): void {
  for (const tool of tools) waitUntil(`the ${tool} rules of the cluster to go`, () => remove(tool));
  for (const counter of counters) command('nfacct', ['delete', counter]);
  removeIpSets();
}

/** False when somebody changed the rules between the reading and the writing: then it is to be tried again. */
function remove(tool: string): boolean {
  const saved = command(`${tool}-save`, []);
  // A kernel without IPv6 has no such rules either.
  if (!saved.ok) return true;
  const input = removal(saved.output);
  return input === '' || command(`${tool}-restore`, ['--noflush', '--wait'], { input }).ok;
}

/**
 * The input of iptables-restore that takes such chains, the jumps to them and what Felix adds to the chains of others (all
 * of it has a comment) out of what iptables-save gave.
 */
export function removal(saved: string): string {
  return saved
    .split(/^(?=\*)/m)
    .map((table) => {
      const lines = table.split('\n');
      const chains = lines
        .map((line) => /^:((?:KUBE|WORKBENCH|cali)-\S+)/.exec(line)?.[1])
        .filter((chain) => chain !== undefined);
      const jumps = lines.filter((line) =>
        /^-A (?!KUBE-|WORKBENCH-|cali-).*( -[jg] (KUBE|WORKBENCH|cali)-\S+$| --comment "cali:)/.test(line),
      );
      if (chains.length + jumps.length === 0) return '';
      return [
        lines[0],
        // Naming a chain empties it; only empty ones that nothing jumps to can be removed.
        ...chains.map((chain) => `:${chain} - [0:0]`),
        ...jumps.map((jump) => jump.replace('-A', '-D')),
        ...chains.map((chain) => `-X ${chain}`),
        'COMMIT\n',
      ].join('\n');
    })
    .join('');
}
