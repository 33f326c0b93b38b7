import { expect, test } from '@jest/globals';
import { Store } from '../../src/kube/store.ts';
import { Volumes } from '../../src/rest/volumes.ts';
import { ANNOTATION_OWNER, labels } from '../../src/workbench/identity.ts';
import type { Claim } from '../../src/workbench/objects.ts';
import { workbench } from '../workbench/sample.ts';

test('the old owner of a workbench cannot remove its volume in the moment before that follows to the new one', async () => {
  const given = workbench({ owner: 'bob' });
  const metadata = { name: 'files', uid: 'claim-1', resourceVersion: '5', labels: labels(given) };
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
    delete: (_kind: string, name: string) => Promise.resolve(void deleted.push(name)),
  };
  await expect(new Volumes({ store, cluster }).delete('alice', 'files')).rejects.toMatchObject({
    status: 409,
    reason: 'VolumeInUse',
  });
  expect(deleted).toEqual([]);
});
