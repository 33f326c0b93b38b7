import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RunDirectory } from '../run/runDirectory.ts';
import { bridge } from './bridge.ts';
import { cablePrefix } from './cables.ts';

/** How containerd connects Pods: a directory of CNI plugins, the chain of them, and the name pattern of where packets come in. */
export interface PodNetwork {
  pluginDir: string;
  plugins: object[];
  /** As iptables writes it. */
  interfaces: string;
}

const debianPlugins = '/usr/lib/cni';

/**
 * Pods as ports of one bridge. It has its address already, so the plugin must not act as gateway: as one it would switch
 * on forwarding for the whole machine, which is not ours to change and would outlive the cluster.
 */
export function bridged(run: RunDirectory): PodNetwork {
  const plugin = { type: 'bridge', bridge: bridge.name, isGateway: false, ipMasq: false, hairpinMode: true };
  return { pluginDir: debianPlugins, plugins: [{ ...plugin, ipam: ipam(run) }], interfaces: bridge.name };
}

/**
 * Each Pod on a cable of its own, as an enforcer of NetworkPolicies wants it: to the packet filter, all ports of a bridge
 * are one interface. The addresses are the same as with the bridge, which stays for what listens on its address.
 */
export function routed(run: RunDirectory): PodNetwork {
  const pluginDir = run.path('cni-plugins');
  mkdirSync(pluginDir);
  for (const name of ['ptp', 'host-local', 'loopback']) symlinkSync(`${debianPlugins}/${name}`, `${pluginDir}/${name}`);
  const program = fileURLToPath(new URL('nameCable.ts', import.meta.url));
  chmodSync(run.write('cni-plugins/name-cable', `#!/bin/sh\nexec ${process.execPath} ${program}\n`), 0o700);
  return {
    pluginDir,
    plugins: [{ type: 'ptp', ipMasq: false, ipam: ipam(run) }, { type: 'name-cable' }],
    interfaces: `${cablePrefix}+`,
  };
}

function ipam(run: RunDirectory): object {
  return {
    type: 'host-local',
    dataDir: run.path('cni'),
    ranges: [[{ subnet: bridge.subnet, gateway: bridge.address, rangeStart: bridge.firstPod }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
}
