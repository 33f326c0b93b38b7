/** Volumes made beforehand, as an admin of a small cluster would: their class can grow, or it cannot. */
import { stringify } from 'yaml';
import type { Cluster } from './cluster/cluster.ts';

export async function layStorage(
  cluster: Cluster,
  name: string,
  allowVolumeExpansion: boolean,
  count: number,
): Promise<void> {
  const sort = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'kubernetes.io/no-provisioner',
    allowVolumeExpansion,
  };
  const disks = Array.from({ length: count }, (_, index) => disk(`${name}-${index}`, name));
  await cluster.kubectl(['apply', '-f', '-'], [sort, ...disks].map((object) => stringify(object)).join('---\n'));
}

export function disk(name: string, storageClassName: string): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      storageClassName,
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/nowhere' },
    },
  };
}
