/** Volumes for plans: one is made beforehand for each, since nothing here makes them on demand. */
import type { Transport } from '../../src/kube/transport.ts';
import { newName } from '../../src/rest/new-name.ts';
import { disk } from '../disks.ts';

/** The StorageClass, and what all their names begin with. */
export const DISKS = 'disk';

const PATH = '/api/v1/persistentvolumes';

/** @returns its path at the API server */
export async function layDisk(transport: Transport): Promise<string> {
  const name = `${DISKS}-${newName()}`;
  await transport.call('POST', PATH, { body: disk(name, DISKS) });
  return `${PATH}/${name}`;
}
