import { expect, test } from '@jest/globals';
import { describeCall } from '../../src/kube/call.ts';
import { collectionPath, objectPath } from '../../src/kube/kinds.ts';

const pods = collectionPath('Pod', 'workbenches');
const genome = objectPath('Workbench', 'workbenches', 'genome');

test.each([
  ['GET', pods, false, 'list', 'pods'],
  ['GET', pods, true, 'watch', 'pods'],
  ['POST', pods, false, 'create', 'pods'],
  ['GET', genome, false, 'get', 'workbenches'],
  ['PATCH', genome, false, 'patch', 'workbenches'],
  ['PATCH', `${genome}/status`, false, 'patch', 'workbenches/status'],
  ['DELETE', objectPath('Ingress', 'workbenches', 'a/b'), false, 'delete', 'ingresses'],
  ['PUT', '/apis/coordination.k8s.io/v1/namespaces/workbench-system/leases/leader', false, 'update', 'leases'],
  // Never a piece of a path, which may hold anything.
  ['GET', '/version', false, 'list', 'other'],
])('%s %s (watch: %s) is "%s %s"', (method, path, isWatch, verb, resource) => {
  expect(describeCall(method, path, isWatch)).toEqual({ verb, resource });
});
