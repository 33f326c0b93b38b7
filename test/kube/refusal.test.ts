import { describe, expect, test } from '@jest/globals';
import { refusalFrom } from '../../src/kube/refusal.ts';
import { errorFromAnswer, errorFromNetwork } from '../../src/kube/errors.ts';

const answer = (code: number, message: string, more: object = {}) =>
  errorFromAnswer(code, { kind: 'Status', status: 'Failure', message, ...more });

/** Messages as kube-apiserver 1.32–1.35 writes them. */
const table: [what: string, code: number, message: string, reason: string, sentence: string][] = [
  [
    'a used-up quota',
    403,
    'pods "genome-abc" is forbidden: exceeded quota: team, requested: limits.memory=4Gi, used: limits.memory=6Gi, limited: limits.memory=8Gi',
    'QuotaExceeded',
    'The namespace has no quota left for the Pod: exceeded quota: team, requested: limits.memory=4Gi, used: limits.memory=6Gi, limited: limits.memory=8Gi.',
  ],
  [
    'Pod Security',
    403,
    'pods "genome-abc" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "workbench" must set securityContext.runAsNonRoot=true)',
    'PodSecurityViolation',
    'The namespace does not admit the Pod: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "workbench" must set securityContext.runAsNonRoot=true).',
  ],
  [
    'a webhook that gives no code',
    400,
    'admission webhook "validate.kyverno.svc-fail" denied the request: images must come from registry.example.',
    'AdmissionRefused',
    'A policy of the cluster refuses the Pod: admission webhook "validate.kyverno.svc-fail" denied the request: images must come from registry.example.',
  ],
  [
    'a webhook that answers 403',
    403,
    'admission webhook "validation.gatekeeper.sh" denied the request: [no-latest] the tag latest is not allowed',
    'AdmissionRefused',
    'A policy of the cluster refuses the Pod: admission webhook "validation.gatekeeper.sh" denied the request: [no-latest] the tag latest is not allowed.',
  ],
  [
    'a ValidatingAdmissionPolicy',
    422,
    `pods "genome-abc" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'no-latest-here' denied request: pin your images`,
    'AdmissionRefused',
    `A policy of the cluster refuses the Pod: ValidatingAdmissionPolicy 'no-latest' with binding 'no-latest-here' denied request: pin your images.`,
  ],
  [
    'a missing right',
    403,
    'pods is forbidden: User "system:serviceaccount:workbench-system:workbench-controller" cannot create resource "pods" in API group "" in the namespace "workbenches"',
    'PermissionDenied',
    'The controller lacks a right on the Pod: User "system:serviceaccount:workbench-system:workbench-controller" cannot create resource "pods" in API group "" in the namespace "workbenches".',
  ],
  [
    'a limit range, above',
    403,
    'pods "genome-abc" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
    'LimitRangeExceeded',
    'The namespace limits the size of the Pod: maximum memory usage per Container is 1Gi, but limit is 2Gi.',
  ],
  [
    'a limit range, below',
    403,
    'pods "genome-abc" is forbidden: minimum cpu usage per Pod is 100m, but request is 10m',
    'LimitRangeExceeded',
    'The namespace limits the size of the Pod: minimum cpu usage per Pod is 100m, but request is 10m.',
  ],
  [
    'a quota that wants limits to be said',
    403,
    'pods "genome-abc" is forbidden: failed quota: team: must specify limits.cpu for: workbench',
    'Refused',
    'The API server refuses the Pod: failed quota: team: must specify limits.cpu for: workbench.',
  ],
  [
    'an invalid object',
    422,
    'Pod "genome-abc" is invalid: spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: "x": must be an integer',
    'Refused',
    'The API server refuses the Pod: spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: "x": must be an integer.',
  ],
];

describe('a refusal becomes a reason and one sentence for a person', () => {
  test.each(table)('%s', (_what, code, message, reason, sentence) => {
    expect(refusalFrom(answer(code, message), 'Pod')).toEqual({ reason, message: sentence });
  });

  test('that names the kind which was refused', () => {
    const error = answer(403, 'ingresses.networking.k8s.io "genome" is forbidden: exceeded quota: team');
    expect(refusalFrom(error, 'Ingress')!.message).toBe(
      'The namespace has no quota left for the Ingress: exceeded quota: team.',
    );
  });

  test("that keeps a webhook's own words whole, though they look like the API server's", () => {
    const text = 'admission webhook "policy.example" denied the request: registry x is forbidden: use another';
    expect(refusalFrom(answer(403, text), 'Pod')!.message).toContain(text);
  });

  test('also when nobody can be asked: a webhook that is down, an object too large for the store', () => {
    const down = answer(500, 'Internal error occurred: failed calling webhook "x.example": EOF');
    expect(refusalFrom(down, 'Pod')).toMatchObject({
      reason: 'AdmissionRefused',
      message: expect.stringContaining('x.example'),
    });
    expect(refusalFrom(answer(500, 'etcdserver: request is too large'), 'Pod')).toMatchObject({ reason: 'Refused' });
  });

  test('that stays bounded, whatever a webhook writes', () => {
    const error = answer(403, `admission webhook "x" denied the request: ${'y'.repeat(100_000)}`);
    expect(refusalFrom(error, 'Pod')!.message.length).toBeLessThan(600);
  });
});

describe('a namespace', () => {
  test('that is being deleted is told by its cause, not by its text', () => {
    const causes = [{ reason: 'NamespaceTerminating', message: '…', field: 'metadata.namespace' }];
    const text =
      'pods "genome-abc" is forbidden: unable to create new content in namespace workbenches because it is being terminated';
    const error = answer(403, text, { reason: 'Forbidden', details: { causes } });
    expect(refusalFrom(error, 'Pod')).toMatchObject({ reason: 'NamespaceTerminating' });
  });

  test('that is missing is said', () => {
    const details = { name: 'workbenches', kind: 'namespaces' };
    const error = answer(404, 'namespaces "workbenches" not found', { reason: 'NotFound', details });
    expect(refusalFrom(error, 'Pod')).toMatchObject({ reason: 'NamespaceMissing' });
  });
});

test.each([
  ['a conflict', answer(409, 'the object has been modified', { reason: 'Conflict' })],
  ['a name that exists', answer(409, 'pods "a" already exists', { reason: 'AlreadyExists' })],
  [
    'an object that is gone by now',
    answer(404, 'services "x" not found', { reason: 'NotFound', details: { kind: 'services' } }),
  ],
  [
    'a test of our own patch that failed',
    answer(422, 'the server rejected our request due to an error in our request', { reason: 'Invalid', details: {} }),
  ],
  ['a busy server', answer(429, 'too many requests')],
  ['a server in trouble', answer(500, 'etcdserver: leader changed')],
  ['expired credentials', answer(401, 'Unauthorized')],
  ['a fault of the network', errorFromNetwork(new Error('ECONNRESET'))],
  ['a defect of ours', new TypeError('x is not a function')],
  ['no error at all', undefined],
])('%s is no refusal: nobody is bothered, and it is tried again', (_what, error) => {
  expect(refusalFrom(error, 'Pod')).toBeUndefined();
});
