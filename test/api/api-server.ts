/** An API server with our kind and a namespace made for one run: on a cluster of its own, or on the one that was given. */
import { randomBytes } from 'node:crypto';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { givenCluster } from '../cluster/given.ts';
import { applyKind, requireKind } from '../installation.ts';

export interface ApiServer {
  cluster: Cluster;
  namespace: string;
  end: () => Promise<void>;
}

export async function anApiServer(): Promise<ApiServer> {
  const given = process.env.WB_TEST_KUBECONFIG;
  const cluster = given ? await givenCluster(given) : await startCluster({ nodes: 'simulated' });
  const namespace = `workbench-test-${randomBytes(3).toString('hex')}`;
  try {
    await (given ? requireKind(cluster) : applyKind(cluster));
    await cluster.kubectl(['create', 'namespace', namespace]);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return {
    cluster,
    namespace,
    async end() {
      await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']);
      await cluster.stop();
    },
  };
}
