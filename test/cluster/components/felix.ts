import { cablePrefix } from '../machine/cables.ts';
import { command } from '../machine/command.ts';
import type { NodeNamespace } from '../machine/nodeNamespace.ts';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';
import { realNodeName } from './kubelet.ts';

export const felixPackages = new URL('../felix-packages.txt', import.meta.url);

/** Calico's enforcer, alone: it judges what Pods send and receive by NetworkPolicies, in rules of the packet filter. */
export function startFelix(
  run: RunDirectory,
  node: NodeNamespace,
  binary: string,
  { kubeconfig, port }: { kubeconfig: string; port: number },
): Component {
  const settings = {
    DatastoreType: 'kubernetes',
    FelixHostname: realNodeName,
    InterfacePrefix: cablePrefix,
    // What a Pod sends to this machine passes its policies, too; after that it is as if there were no Felix.
    DefaultEndpointToHostAction: 'RETURN',
    // Told, for to find out it would make tables of the other kind.
    IptablesBackend: command('iptables', ['--version']).output.includes('nf_tables') ? 'nft' : 'legacy',
    Ipv6Support: 'false',
    ServiceLoopPrevention: 'Disabled',
    UsageReportingEnabled: 'false',
    HealthEnabled: 'true',
    HealthHost: '127.0.0.1',
    HealthPort: String(port),
    LogFilePath: 'none',
    LogSeverityFile: 'none',
    LogSeveritySys: 'none',
  };
  const felix = Object.entries(settings).map(([name, value]) => [`FELIX_${name.toUpperCase()}`, value]);
  const env = {
    KUBECONFIG: kubeconfig,
    USE_POD_CIDR: 'true',
    ...(Object.fromEntries(felix) as Record<string, string>),
  };
  return startComponent(run, { name: 'felix', env, ...node.inside(binary, []) });
}

/** Its rules are there, for all Pods and policies that it knows of. */
export async function isEnforcing(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/readiness`)).ok;
}
