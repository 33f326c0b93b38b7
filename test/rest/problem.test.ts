import { describe, expect, test } from '@jest/globals';
import { errorFromAnswer, errorFromNetwork } from '../../src/kube/errors.ts';
import { Problem, invalid, noSuchWorkbench, notSynced, toProblem } from '../../src/rest/problem.ts';

const bodyError = (type: string) => Object.assign(new Error('secret detail'), { type });

type Row = [what: string, error: unknown, status: number, reason: string, retryAfter?: number];

describe('what went wrong becomes one HTTP status and one reason', () => {
  test.each<Row>([
    ['a field that is wrong', invalid('image: no.'), 400, 'Invalid'],
    ["nobody's, or another user's, workbench", noSuchWorkbench('genome'), 404, 'NotFound'],
    ['a controller that is starting', notSynced(), 503, 'NotReady', 1],
    ['a quota of the cluster', errorFromAnswer(403, { message: 'exceeded quota' }), 403, 'QuotaExceeded'],
    [
      'a right that the controller lacks',
      errorFromAnswer(403, { message: 'User "x" cannot get' }),
      503,
      'NotInstalled',
      10,
    ],
    [
      'a webhook that is down',
      errorFromAnswer(500, { message: 'failed calling webhook "x"' }),
      503,
      'AdmissionRefused',
      2,
    ],
    ['any other refusal', errorFromAnswer(403, { message: 'no' }), 403, 'Refused'],
    [
      'a body that is no gzip',
      Object.assign(new Error('incorrect header check'), { status: 400, code: 'Z_DATA_ERROR' }),
      400,
      'Invalid',
    ],
    ['a rule of the CRD', errorFromAnswer(422, { message: 'spec.owner: no' }), 400, 'Invalid'],
    ['somebody else at the same moment', errorFromAnswer(409, { reason: 'Conflict' }), 409, 'Conflict'],
    ['a name that exists', errorFromAnswer(409, { reason: 'AlreadyExists' }), 409, 'Conflict'],
    ['a busy cluster', errorFromAnswer(429, {}), 429, 'TooManyRequests', 1],
    ['a busy cluster that says when', errorFromAnswer(429, {}, '30'), 429, 'TooManyRequests', 30],
    [
      'a namespace that is missing',
      errorFromAnswer(404, { message: 'namespaces "x" not found' }),
      503,
      'NotInstalled',
      10,
    ],
    ['a webhook without a code', errorFromAnswer(400, { message: 'denied' }), 400, 'Refused'],
    ['a broken cluster', errorFromAnswer(500, {}), 503, 'ClusterUnavailable', 2],
    ['a broken cluster that says when', errorFromAnswer(503, {}, '7'), 503, 'ClusterUnavailable', 7],
    ['a cluster out of reach', errorFromNetwork(new Error('ECONNREFUSED 10.0.0.1')), 503, 'ClusterUnavailable', 2],
    ['credentials that have expired', errorFromAnswer(401, {}), 503, 'ClusterUnavailable', 2],
    ['a body that is too large', bodyError('entity.too.large'), 413, 'TooLarge'],
    ['a body in an odd encoding', bodyError('encoding.unsupported'), 415, 'UnsupportedMediaType'],
    ['a request that was cut off', bodyError('request.aborted'), 400, 'Invalid'],
    ['a path that cannot be decoded', new URIError('URI malformed'), 400, 'Invalid'],
  ])('%s', (_what, error, status, reason, ...[retryAfter]) => {
    const problem = toProblem(error)!;
    expect([problem.status, problem.reason, problem.retryAfter]).toEqual([status, reason, retryAfter]);
  });
});

test.each([new TypeError('x is undefined'), bodyError('unheard.of'), 'text', 7])(
  '%s was foreseen by nobody: a defect, which the caller logs and does not show',
  (error) => {
    expect(toProblem(error)).toBeUndefined();
  },
);

test('no address, no stack and no other user is named to a client', () => {
  const unreachable = errorFromNetwork(new Error('connect ECONNREFUSED 10.0.0.1:6443'));
  expect(toProblem(unreachable)!.message).not.toMatch(/10\.0\.0\.1|ECONNREFUSED/);
  const lacking = errorFromAnswer(403, { message: 'User "system:serviceaccount:x:y" cannot get resource' });
  expect(toProblem(lacking)!.message).not.toMatch(/serviceaccount/);
  expect(toProblem(bodyError('encoding.unsupported'))!.message).not.toMatch(/secret/);
  expect(noSuchWorkbench('x'.repeat(10_000)).message.length).toBeLessThan(120);
});

test('a problem that was thrown as such is answered as it is', () => {
  const problem = new Problem(409, 'BeingDeleted', 'This workbench is being deleted.');
  expect(toProblem(problem)).toBe(problem);
});
