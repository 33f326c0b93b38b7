/** Volumes for plans: one is made beforehand for each, since nothing here makes them on demand. */
import type { Transport } from '../../src/kube/transport.ts';
import { newName } from '../../src/rest/new-name.ts';

/** The StorageClass, and what all their names begin with. */
export const DISKS = 'disk';

export async function layDisk(transport: Transport): Promise<void> {
  const body = {
    metadata: { name: `${DISKS}-${newName()}` },
    spec: {
      storageClassName: DISKS,
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/nowhere' },
    },
  };
  await transport.call('POST', '/api/v1/persistentvolumes', { body });
}
