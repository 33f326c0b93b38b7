import { readAudit, type AuditEntry } from './access/audit.ts';
import { keepSummary } from './access/auditSummary.ts';
import { runKubectl } from './access/kubectl.ts';
import { binariesFor } from './binaries/catalogue.ts';
import { findBinaries } from './binaries/find.ts';
import { auditLog } from './components/apiserver.ts';
import { felixPackages } from './components/felix.ts';
import { startControlPlane, type ControlPlane } from './controlPlane.ts';
import { bridge, makeBridge } from './machine/bridge.ts';
import { isPortTaken } from './machine/freePorts.ts';
import { bridged, routed } from './machine/network.ts';
import { claimPacketRules, forwardBetweenPods } from './machine/packetRules.ts';
import { installPackages, missingPackages, requirePackages } from './machine/packages.ts';
import { whyNoRealNode } from './machine/whyNoRealNode.ts';
import { startRealNode } from './realNode.ts';
import { elapsedReport } from './run/elapsedReport.ts';
import { claimRun } from './run/claimRun.ts';
import type { RunDirectory } from './run/runDirectory.ts';
import { startSimulatedNodes } from './simulatedNodes.ts';

export type { AuditEntry };
export { whyNoRealNode };

export interface ClusterOptions {
  nodes: 'real' | 'simulated';
  /** Where state, logs, kubeconfigs go; default: a fresh directory under the OS temp dir. */
  dir?: string;
  /** May apt-get install missing Debian packages (root only). Default true; --no-install sets false. */
  install?: boolean;
  /** Progress lines (default: stderr with elapsed seconds). */
  report?: (line: string) => void;
  /** Fixed ports (used by `npm run local`); default: free ports chosen now. */
  ports?: { ingress?: number; registry?: number };
  /** Traefik's providersThrottleDuration. Default: Traefik's own default (2s), so tests meet the real lag. */
  traefikThrottle?: string;
  /** More middlewares that Ingresses may name as `<name>@file`, as Traefik's file provider takes them (real nodes only). */
  traefikMiddlewares?: Record<string, object>;
  /** Enforce NetworkPolicies (real nodes only). Default false: Pods then reach each other whatever policies say. */
  networkPolicies?: boolean;
  /**
   * Kinds that are there before the controllers start: path of a manifest of CustomResourceDefinitions (simulated nodes only).
   * The garbage collector looks for new kinds every 30 s only, so one that comes later is not collected for so long.
   */
  kinds?: string;
  /** Whether etcd waits for the disk (simulated nodes only). Default true; false where nothing is measured and nothing kept. */
  durable?: boolean;
}

export interface Cluster {
  nodes: 'real' | 'simulated';
  dir: string;
  /** Path of the admin kubeconfig (user system:admin). */
  kubeconfig: string;
  /** Base URL of the API server, e.g. https://10.250.0.1:41234 */
  server: string;
  /** "localhost:PORT" of the image registry (real nodes only). */
  registry?: string;
  /** e.g. http://127.0.0.1:8080, where Traefik answers (real nodes only). */
  ingressUrl?: string;
  /** An address of this host that Pods and Traefik reach (the bridge's); real nodes only. */
  hostAddress?: string;
  /** Absolute path of a built binary. */
  binary(name: string): string;
  /** Writes a kubeconfig for a user (client certificate, CN=name, no group, so RBAC and priority-and-fairness apply) and returns its path. */
  userKubeconfig(name: string): Promise<string>;
  /** Audit entries (level Metadata, stage ResponseComplete) of one user since the start, from the API server's audit log: one per API call; a watch appears when it ends. */
  audit(user: string): Promise<AuditEntry[]>;
  /** Runs kubectl with the admin kubeconfig; resolves stdout, rejects with an Error holding stderr. */
  kubectl(args: string[], input?: string): Promise<string>;
  stop(): Promise<void>;
}

/** A real Kubernetes: a control plane from pinned sources, and either one node that runs containers or simulated ones. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const report = options.report ?? elapsedReport();
  if (options.nodes === 'real') {
    const why = whyNoRealNode(options);
    if (why !== undefined) throw new Error(why);
    await installPackages(missingPackages(), report);
    if (options.networkPolicies)
      await requirePackages(felixPackages, 'Enforcing NetworkPolicies', report, options.install);
  }
  const binaries = await findBinaries(binariesFor(options.nodes, options), report);
  const binary = (name: string): string => {
    const path = binaries.get(name);
    if (path === undefined)
      throw new Error(
        `A cluster with ${options.nodes} nodes has no binary "${name}"; it has ${[...binaries.keys()].join(', ')}.`,
      );
    return path;
  };

  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startIn(binary, options, report);
    } catch (error) {
      if (attempt === 3 || !isPortTaken(error)) throw error;
      report('somebody took a port that was free a moment ago: once more, with others');
    }
  }
}

async function startIn(binary: Binary, options: ClusterOptions, report: Report): Promise<Cluster> {
  const claim = claimRun(options.nodes, options.dir, report);
  return claim.orEnd(async () => {
    report(
      `starting a cluster with ${options.nodes === 'real' ? 'a real node' : 'simulated nodes'} in ${claim.run.dir}`,
    );
    const cluster = await (options.nodes === 'real' ? startReal : startSimulated)(claim.run, binary, options, report);
    const stop = async (): Promise<void> => {
      await keepSummary(auditLog(claim.run), claim.run.dir);
      await claim.end();
    };
    return { ...cluster, stop };
  });
}

type Started = Omit<Cluster, 'stop'>;
type Binary = (name: string) => string;
type Report = (line: string) => void;

async function startReal(run: RunDirectory, binary: Binary, options: ClusterOptions, report: Report): Promise<Started> {
  const { networkPolicies = false } = options;
  const network = networkPolicies ? routed(run) : bridged(run);
  claimPacketRules(run);
  makeBridge();
  forwardBetweenPods(network.interfaces);
  const controlPlane = startControlPlane(run, binary, { address: bridge.address, advertise: bridge.address });
  const [node, started] = await Promise.all([
    startRealNode(run, {
      binary,
      controlPlane,
      ports: options.ports ?? {},
      traefikThrottle: options.traefikThrottle,
      traefikMiddlewares: options.traefikMiddlewares,
      network,
      networkPolicies,
    }),
    controlPlane.then((plane) => describe(run, binary, plane, report)),
  ]);
  return {
    ...started,
    registry: `localhost:${node.registryPort}`,
    ingressUrl: `http://127.0.0.1:${node.ingressPort}`,
    hostAddress: bridge.address,
  };
}

async function startSimulated(
  run: RunDirectory,
  binary: Binary,
  { kinds, durable }: ClusterOptions,
  report: Report,
): Promise<Started> {
  // The address for Pods may not be a loopback one; this is from the range kept for documentation, where nothing is.
  const where = { address: '127.0.0.1', advertise: '192.0.2.1' };
  const controlPlane = await startControlPlane(run, binary, { ...where, kinds, durable });
  const [started] = await Promise.all([
    describe(run, binary, controlPlane, report),
    startSimulatedNodes(run, binary, controlPlane),
  ]);
  return started;
}

async function describe(run: RunDirectory, binary: Binary, plane: ControlPlane, report: Report): Promise<Started> {
  report(`the API server answers at ${plane.server}`);
  const kubeconfig = await plane.kubeconfigFor('system:admin', ['system:masters']);
  await plane.settled;
  return {
    nodes: run.record.nodes,
    dir: run.dir,
    kubeconfig,
    server: plane.server,
    binary,
    userKubeconfig: (name) => plane.kubeconfigFor(name),
    audit: (user) => readAudit(auditLog(run), user),
    kubectl: (args, input) => runKubectl(binary('kubectl'), kubeconfig, args, input),
  };
}
