import { stringify } from 'yaml';
import type { Pki } from '../access/pki.ts';
import { bridge } from '../machine/bridge.ts';
import { cgroupRoot } from '../machine/cgroups.ts';
import type { NodeNamespace } from '../machine/nodeNamespace.ts';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';
import { containerdSocket } from './containerd.ts';

export const realNodeName = 'real-0';

export interface KubeletSettings {
  kubeconfig: string;
  pki: Pki;
  ports: { kubelet: number; healthz: number };
}

export function startKubelet(
  run: RunDirectory,
  node: NodeNamespace,
  binary: string,
  settings: KubeletSettings,
): Component {
  const config = run.write('kubelet.yaml', stringify(configuration(run, settings)));
  return startComponent(run, {
    name: 'kubelet',
    ...node.inside(binary, [
      `--config=${config}`,
      `--kubeconfig=${settings.kubeconfig}`,
      `--root-dir=${run.path('kubelet')}`,
      `--cert-dir=${run.path('kubelet', 'pki')}`,
      `--hostname-override=${realNodeName}`,
      `--node-ip=${bridge.address}`,
    ]),
  });
}

function configuration(run: RunDirectory, { pki, ports }: KubeletSettings): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: bridge.address,
    port: ports.kubelet,
    healthzBindAddress: '127.0.0.1',
    healthzPort: ports.healthz,
    authentication: { anonymous: { enabled: false }, x509: { clientCAFile: pki.ca.certificate } },
    containerRuntimeEndpoint: `unix://${containerdSocket(run)}`,
    podLogsDir: run.path('pod-logs'),

    // Many a machine still has version 1, on which the kubelet refuses to start since 1.35.
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    // Tests give their Pods requests equal to limits and tiny, so that many fit on the machine. As quotas they would
    // throttle every boot to a crawl; as shares they only order who goes first.
    cpuCFSQuota: false,
    maxPods: 250,
    // Only a hint to other programs which kind of iptables is in use; kube-proxy makes what it needs itself.
    makeIPTablesUtilChains: false,
    // Nothing resolves these; without any, each Pod gets a warning event.
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',

    // A full disk or a small machine is no reason to throw images and Pods of a test away.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },

    // A Pod that writes too much is found at the next look at its volumes: after seconds, not after a minute.
    volumeStatsAggPeriod: '5s',

    // Not throttled by itself: neither its pulls nor its events nor its status updates.
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 500,
    kubeAPIBurst: 1000,
    nodeStatusUpdateFrequency: '1s',
    nodeStatusReportFrequency: '5m',
    shutdownGracePeriod: '0s',
  };
}
