import { afterAll, expect, test } from '@jest/globals';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';

const clusters: Cluster[] = [];

afterAll(async () => {
  for (const cluster of clusters) await cluster.stop();
});

test('two clusters with simulated nodes start at the same moment, and neither sees what is in the other', async () => {
  clusters.push(...(await Promise.all([startCluster({ nodes: 'simulated' }), startCluster({ nodes: 'simulated' })])));
  const [one, other] = clusters as [Cluster, Cluster];
  expect(one.server).not.toBe(other.server);
  await one.kubectl(['create', 'namespace', 'only-here']);
  await expect(other.kubectl(['get', 'namespace', 'only-here'])).rejects.toThrow(/not found/);
  await expect(other.kubectl(['--kubeconfig', one.kubeconfig, 'get', 'namespace', 'only-here'])).resolves.toContain(
    'only-here',
  );
  for (const cluster of [one, other]) {
    await cluster.kubectl(['wait', '--for=condition=Ready', 'node', '--all', '--timeout=120s']);
  }
});
