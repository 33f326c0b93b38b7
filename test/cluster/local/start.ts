import { copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { startCluster, whyNoRealNode, type Cluster } from '../cluster.ts';
import { givenCluster } from '../given.ts';
import { isFree } from '../machine/freePorts.ts';
import { onExit } from '../run/interrupt.ts';
import type { LocalFlags } from './flags.ts';

const ports = { ingress: 8080, registry: 5000 };

/**
 * The cluster that the local controller runs on; its kubeconfig is .local/kubeconfig, or the one that was given. Beside
 * the former is the kubectl of the same version, for machines that have none.
 */
export async function startLocalCluster(
  flags: LocalFlags,
  local: string,
  report: (line: string) => void,
): Promise<{ cluster: Cluster; kubeconfig: string; kubectl?: string }> {
  if (flags.kubeconfig !== undefined) {
    const kubeconfig = resolve(flags.kubeconfig);
    return { cluster: await givenCluster(kubeconfig, report), kubeconfig };
  }
  const cluster = await startOwn(flags, resolve(local, 'cluster'), report);
  const kubeconfig = resolve(local, 'kubeconfig');
  mkdirSync(local, { recursive: true });
  copyFileSync(cluster.kubeconfig, kubeconfig);
  const kubectl = resolve(local, 'kubectl');
  rmSync(kubectl, { force: true });
  symlinkSync(cluster.binary('kubectl'), kubectl);
  onExit(() => {
    for (const path of [kubeconfig, kubectl]) rmSync(path, { force: true });
  });
  return { cluster, kubeconfig, kubectl };
}

async function startOwn({ install, ide }: LocalFlags, dir: string, report: (line: string) => void): Promise<Cluster> {
  const root = process.getuid?.() === 0;
  if (!root) {
    if (ide !== undefined) throw new Error(`--ide ${ide} needs a real node: ${whyNoRealNode({ install })}`);
    report(`${whyNoRealNode({ install }) ?? 'no root'}`);
    report('so the nodes are simulated: Pods become Ready without running, and no workbench opens in a browser');
    return startCluster({ nodes: 'simulated', dir, report });
  }
  const why = whyNoRealNode({ install });
  if (why !== undefined) throw new Error(why);
  for (const [what, port] of Object.entries(ports)) {
    if (!(await isFree(port, ['127.0.0.1']))) {
      throw new Error(
        `Port ${port} of 127.0.0.1, where the ${what} is to answer, is taken: end what listens there ("ss -ltnp sport = :${port}").`,
      );
    }
  }
  return startCluster({ nodes: 'real', dir, install, report, ports });
}
