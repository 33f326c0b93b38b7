import { expect, test } from '@jest/globals';
import { Store } from '../../src/kube/store.ts';
import { Volumes } from '../../src/rest/volumes.ts';
import { ANNOTATION_OWNER, claimName, labels } from '../../src/workbench/identity.ts';
import type { Claim } from '../../src/workbench/objects.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { workbench } from '../workbench/sample.ts';

/** alice's, and last of a workbench that is bob's by now; what is deleted is noted. */
function volumeOf(given: Workbench, name: string): { volumes: Volumes; deleted: string[] } {
  const metadata = { name, uid: 'claim-1', resourceVersion: '5', labels: labels(given) };
  const claim: Claim = {
    metadata: { ...metadata, annotations: { [ANNOTATION_OWNER]: 'alice' } },
    status: { phase: 'Bound' },
  };
  const store = new Store();
  store.collections.Workbench.saw(given);
  store.collections.PersistentVolumeClaim.saw(claim);
  const deleted: string[] = [];
  const cluster = {
    get: () => Promise.resolve(claim as never),
    delete: (_kind: string, which: string) => Promise.resolve(void deleted.push(which)),
  };
  return { volumes: new Volumes({ store, cluster }), deleted };
}

const given = workbench({ owner: 'bob' });

test('the old owner of a workbench cannot remove its volume in the moment before that follows to the new one', async () => {
  const { volumes, deleted } = volumeOf(given, claimName(given));
  await expect(volumes.delete('alice', claimName(given))).rejects.toMatchObject({ status: 409, reason: 'VolumeInUse' });
  expect(deleted).toEqual([]);
});

test('an earlier volume of it stays with the old owner, who may remove it', async () => {
  const { volumes, deleted } = volumeOf(given, 'earlier');
  expect(volumes.list('alice')).toMatchObject([{ volume_id: 'earlier', status: 'kept' }]);
  await volumes.delete('alice', 'earlier');
  expect(deleted).toEqual(['earlier']);
});
