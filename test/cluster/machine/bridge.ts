import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '../run/waitUntil.ts';
import { command, mustRun } from './command.ts';

/** One real node per machine (see nodeLock.ts), so one name and one range do. */
export const bridge = {
  name: 'workbench0',
  address: '10.250.0.1',
  prefix: 24,
  subnet: '10.250.0.0/24',
  firstPod: '10.250.0.10',
} as const;

/**
 * Made before anything else, since the API server binds to its address. The hardware address is fixed: a bridge left
 * to itself takes the lowest of its ports', so it would change with every Pod and break the neighbours' ARP entries.
 */
export function makeBridge(): void {
  removeBridge();
  const taken = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ address }) => address.startsWith('10.250.0.')),
  );
  if (taken !== undefined) {
    throw new Error(
      `The range ${bridge.subnet} that the test cluster uses for Pods is taken by ${taken[0]}: remove that interface first.`,
    );
  }
  loadBridgeFilter();
  const type = ['type', 'bridge', 'nf_call_iptables', '1'];
  mustRun('ip', ['link', 'add', bridge.name, 'address', '0a:58:0a:fa:00:01', ...type]);
  mustRun('ip', ['address', 'add', `${bridge.address}/${bridge.prefix}`, 'dev', bridge.name]);
  mustRun('ip', ['link', 'set', bridge.name, 'up']);
  // The kernel leads a packet for a ClusterIP from one Pod to another only where forwarding is on: here, so that it ends
  // with the bridge.
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge.name}/forwarding`, '1');
}

/**
 * The answer of a Pod that was reached by its ClusterIP goes straight over the bridge to the Pod that asked, which knows
 * only the ClusterIP. So packets on the bridge must pass kube-proxy's rules, too; that is an option of this one bridge,
 * and there is nothing to put back at the end.
 */
function loadBridgeFilter(): void {
  const sysctls = '/proc/sys/net/bridge';
  if (existsSync(sysctls)) return;
  mustRun('modprobe', ['br_netfilter']);
  // Just loaded, the module would do the same to all other bridges of the machine.
  for (const family of ['arp', 'ip', 'ip6']) writeFileSync(join(sysctls, `bridge-nf-call-${family}tables`), '0');
}

/** With the host's ends of the Pods' cables: the kernel frees a dead Pod's network only after a while. */
export function removeBridge(): void {
  const links = (): string[] => readdirSync('/sys/class/net');
  if (!links().includes(bridge.name)) return;
  for (const port of readdirSync(`/sys/class/net/${bridge.name}/brif`)) command('ip', ['link', 'delete', port]);
  command('ip', ['link', 'delete', bridge.name]);
  waitUntil(`the bridge ${bridge.name} to go`, () => !links().includes(bridge.name));
}
