/** What every end-to-end test stands on: one real node, Traefik, a registry that holds our small workbench image, the controller. */
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster, ClusterOptions } from '../cluster/cluster.ts';
import { pushWorkbenchImage } from '../images/push.ts';
import { install } from '../installation.ts';
import type { InstallOptions, Installation } from '../installation.ts';

export interface RealInstallation extends Installation {
  cluster: Cluster;
  /** Pushes a version under `:latest`; resolves with its digest. */
  push: (version: string) => Promise<string>;
  teardown: () => Promise<void>;
}

export async function installForReal(
  env: Record<string, string> = {},
  options: Pick<ClusterOptions, 'networkPolicies' | 'traefikThrottle' | 'report'> = {},
  /** What is installed, if not this version; given the directory of the cluster. */
  version: (dir: string) => Pick<InstallOptions, 'program' | 'manifests'> = () => ({}),
): Promise<RealInstallation> {
  const mayInstall = process.env.WB_TEST_NO_INSTALL === undefined;
  const cluster = await startCluster({ nodes: 'real', install: mayInstall, ...options });
  try {
    const registry = cluster.registry!;
    const push = async (version: string) => (await pushWorkbenchImage({ registry, version })).digest;
    await push('v1');
    const installation = await install(cluster, {
      ...version(cluster.dir),
      env: { ...smallWorkbenches(registry), ...env },
    });
    const teardown = async () => {
      await installation.end();
      await cluster.stop();
    };
    return { ...installation, cluster, push, teardown };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** So that fifty fit on two cores; the node does not throttle by CPU limits. */
export function smallWorkbenches(registry: string): Record<string, string> {
  return {
    WORKBENCH_IMAGE: `${registry}/workbench:latest`,
    WB_DEFAULT_CPU: '10m',
    WB_DEFAULT_RAM: '128Mi',
    WB_HOME_LIMIT: '64Mi',
  };
}
