import { existsSync } from 'node:fs';
import type { ControlPlane } from './controlPlane.ts';
import { containerdSocket, startContainerd } from './components/containerd.ts';
import { isEnforcing, startFelix } from './components/felix.ts';
import { createFelixKinds } from './components/felixKinds.ts';
import { realNodeName, startKubelet } from './components/kubelet.ts';
import { leadsTo, startKubeProxy } from './components/kubeProxy.ts';
import { importImage, pauseImage, writePauseImage } from './components/pauseImage.ts';
import { startRegistry } from './components/registry.ts';
import { answers, createIngressClass, startTraefik, type TraefikSettings } from './components/traefik.ts';
import { bridge } from './machine/bridge.ts';
import { makeCgroups } from './machine/cgroups.ts';
import { freePorts } from './machine/freePorts.ts';
import type { PodNetwork } from './machine/network.ts';
import { startNodeNamespace, type NodeNamespace } from './machine/nodeNamespace.ts';
import { hasAddress, isReady } from './nodeReady.ts';
import type { Component } from './run/component.ts';
import type { RunDirectory } from './run/runDirectory.ts';
import { until } from './run/until.ts';

export interface RealNode {
  registryPort: number;
  ingressPort: number;
}

export interface RealNodeSettings {
  binary: (name: string) => string;
  controlPlane: Promise<ControlPlane>;
  ports: { ingress?: number; registry?: number };
  traefikThrottle: string | undefined;
  traefikMiddlewares: Record<string, object> | undefined;
  network: PodNetwork;
  networkPolicies: boolean;
}

/** Everything that does not need the API server starts while that one does. */
export async function startRealNode(run: RunDirectory, settings: RealNodeSettings): Promise<RealNode> {
  const { binary, ports } = settings;
  const names = ['kubelet', 'healthz', 'proxyHealthz', 'proxyMetrics', 'felix', 'ingress', 'registry'] as const;
  const free = await freePorts(names, ['127.0.0.1', bridge.address]);
  const ingressPort = ports.ingress ?? free.ingress;
  const registryPort = ports.registry ?? free.registry;

  const registry = startRegistry(run, registryPort);
  makeCgroups();
  const node = await startNodeNamespace(run, binary('pause'));
  const containerd = startContainerd(run, node, { registryPort, network: settings.network });
  await importPause(run, binary('pause'), containerd);

  const controlPlane = await settings.controlPlane;
  await Promise.all([
    joinNode(run, node, controlPlane, { binary, containerd, ports: free }),
    openClusterIps(run, node, controlPlane, { binary, ports: free }),
    ...(settings.networkPolicies ? [enforcePolicies(run, node, controlPlane, { binary, port: free.felix })] : []),
    openIngress(run, controlPlane, binary, {
      port: ingressPort,
      throttle: settings.traefikThrottle,
      middlewares: settings.traefikMiddlewares,
    }),
    until('The image registry', 20, [registry], () => answers(`http://127.0.0.1:${registryPort}/v2/`)),
  ]);
  return { registryPort, ingressPort };
}

async function importPause(run: RunDirectory, pause: string, containerd: Component): Promise<void> {
  const archive = writePauseImage(run, pause);
  await until('containerd', 30, [containerd], () => existsSync(containerdSocket(run)));
  await until(`The import of ${pauseImage}`, 20, [containerd], () => {
    importImage(containerdSocket(run), archive);
    return true;
  });
}

async function joinNode(
  run: RunDirectory,
  node: NodeNamespace,
  { access, pki, kubeconfigFor }: ControlPlane,
  {
    binary,
    containerd,
    ports,
  }: { binary: (name: string) => string; containerd: Component; ports: { kubelet: number; healthz: number } },
): Promise<void> {
  const kubeconfig = await kubeconfigFor(`system:node:${realNodeName}`, ['system:nodes']);
  const kubelet = startKubelet(run, node, binary('kubelet'), { kubeconfig, pki, ports });
  await until('The real node', 60, [kubelet, containerd, node.first], () => isReady(access, realNodeName));
}

async function openClusterIps(
  run: RunDirectory,
  node: NodeNamespace,
  { access, server, kubeconfigFor }: ControlPlane,
  { binary, ports }: { binary: (name: string) => string; ports: { proxyHealthz: number; proxyMetrics: number } },
): Promise<void> {
  const kubeconfig = await kubeconfigFor('system:kube-proxy');
  // Without a node with an address it would look for one only once a second.
  await until('The address of the real node', 60, [node.first], () => hasAddress(access, realNodeName));
  const proxy = startKubeProxy(run, node, binary('kube-proxy'), { kubeconfig, ports });
  await until('The way to the API server by its ClusterIP', 60, [proxy, node.first], () => leadsTo(server));
}

async function enforcePolicies(
  run: RunDirectory,
  node: NodeNamespace,
  { access, kubeconfigFor }: ControlPlane,
  { binary, port }: { binary: (name: string) => string; port: number },
): Promise<void> {
  await createFelixKinds(access);
  const kubeconfig = await kubeconfigFor('system:felix', ['system:masters']);
  const felix = startFelix(run, node, binary('calico-felix'), { kubeconfig, port });
  await until('Felix', 60, [felix, node.first], () => isEnforcing(port));
}

async function openIngress(
  run: RunDirectory,
  { access, kubeconfigFor }: ControlPlane,
  binary: (name: string) => string,
  settings: Omit<TraefikSettings, 'kubeconfig'>,
): Promise<void> {
  await createIngressClass(access);
  const kubeconfig = await kubeconfigFor('system:traefik', ['system:masters']);
  const traefik = startTraefik(run, binary('traefik'), { ...settings, kubeconfig });
  await until('Traefik', 60, [traefik], () => answers(`http://127.0.0.1:${settings.port}/`));
}
