import { stringify } from 'yaml';
import { bridge } from '../machine/bridge.ts';
import { command } from '../machine/command.ts';
import type { NodeNamespace } from '../machine/nodeNamespace.ts';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';
import { realNodeName } from './kubelet.ts';

export interface KubeProxySettings {
  kubeconfig: string;
  ports: { proxyHealthz: number; proxyMetrics: number };
}

/** Turns the ClusterIPs of Services into addresses of Pods, and 10.96.0.1 into that of the API server. */
export function startKubeProxy(
  run: RunDirectory,
  node: NodeNamespace,
  binary: string,
  settings: KubeProxySettings,
): Component {
  const config = run.write('kube-proxy.yaml', stringify(configuration(settings)));
  return startComponent(run, { name: 'kube-proxy', ...node.inside(binary, [`--config=${config}`]) });
}

/** In-cluster clients find the API server from now on. Read from the rules: a machine need not have a route to try it by. */
export function leadsTo(server: string): boolean {
  return command('iptables-save', ['--table', 'nat']).output.includes(`--to-destination ${new URL(server).host}`);
}

function configuration({ kubeconfig, ports }: KubeProxySettings): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig, qps: 500, burst: 1000 },
    hostnameOverride: realNodeName,
    bindAddress: bridge.address,
    healthzBindAddress: `127.0.0.1:${ports.proxyHealthz}`,
    metricsBindAddress: `127.0.0.1:${ports.proxyMetrics}`,
    // Callers outside this range (the machine itself) get the bridge's address, to which Pods have a way back.
    detectLocalMode: 'ClusterCIDR',
    clusterCIDR: bridge.subnet,

    // Each of these is a sysctl of the machine that it would set and leave set: node ports on the loopback address
    // (route_localnet), and the size and the timeouts of the connection table. 0 means: as the machine has it.
    iptables: { localhostNodePorts: false },
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}
