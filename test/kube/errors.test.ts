import { describe, expect, test } from '@jest/globals';
import { KubeError, errorFromAnswer, errorFromNetwork, isKubeError } from '../../src/kube/errors.ts';
import type { ErrorKind } from '../../src/kube/errors.ts';

describe('what an answer of the API server means, and whether the same request may succeed later', () => {
  test.each<[code: number, reason: string, kind: ErrorKind, retryable: boolean]>([
    [400, 'BadRequest', 'badRequest', false],
    [401, 'Unauthorized', 'unauthorized', true],
    [403, 'Forbidden', 'forbidden', false],
    [404, 'NotFound', 'notFound', false],
    [405, 'MethodNotAllowed', 'badRequest', false],
    [409, 'AlreadyExists', 'alreadyExists', false],
    [409, 'Conflict', 'conflict', true],
    [410, 'Expired', 'gone', true],
    [410, 'Gone', 'gone', true],
    [413, 'RequestEntityTooLarge', 'badRequest', false],
    [415, 'UnsupportedMediaType', 'badRequest', false],
    [422, 'Invalid', 'invalid', false],
    [429, 'TooManyRequests', 'throttled', true],
    [500, 'InternalError', 'unavailable', true],
    [502, '', 'unavailable', true],
    [503, 'ServiceUnavailable', 'unavailable', true],
    [504, 'Timeout', 'unavailable', true],
  ])('%i %s: %s, retryable: %s', (code, reason, kind, retryable) => {
    const error = errorFromAnswer(code, { kind: 'Status', reason, message: 'Why.' });
    expect(error).toMatchObject({ kind, retryable, code, message: 'Why.' });
    expect(error.retryAfterMs).toBeUndefined();
  });
});

describe('how long the API server asks to wait', () => {
  test.each([
    ['the header, in seconds', '3', {}, 3_000],
    ['the body', undefined, { details: { retryAfterSeconds: 7 } }, 7_000],
    ['the header before the body', '3', { details: { retryAfterSeconds: 7 } }, 3_000],
    ['neither', undefined, {}, undefined],
    ['zero, which asks for nothing', '0', {}, undefined],
    ['a negative number', '-1', {}, undefined],
    ['no number', 'soon', {}, undefined],
  ])('%s', (_where, header, body, expected) => {
    expect(errorFromAnswer(429, body, header).retryAfterMs).toBe(expected);
  });
});

describe('an answer that is no Status', () => {
  test.each([
    ['text of a proxy', ' upstream connect error \n', 'upstream connect error'],
    ['a page without an end', 'x'.repeat(5000), 'x'.repeat(500)],
    ['an empty body', '', 'the API server answered 502'],
    ['null', null, 'the API server answered 502'],
    ['an object without a message', {}, 'the API server answered 502'],
  ])('%s still becomes a bounded message', (_what, body, message) => {
    expect(errorFromAnswer(502, body)).toMatchObject({ kind: 'unavailable', message });
  });
});

test('a fault of the network is retryable, says what happened and keeps its cause', () => {
  const cause = new Error('connect ECONNREFUSED 127.0.0.1:6443');
  const error = errorFromNetwork(cause);
  expect(error).toMatchObject({ kind: 'unreachable', retryable: true, code: 0, cause });
  expect(error.message).toBe('the API server could not be reached: connect ECONNREFUSED 127.0.0.1:6443');
  expect(errorFromNetwork('odd').message).toMatch(/odd$/);
});

test('a cause that the API server names is found, and no other', () => {
  const causes = [{ reason: 'NamespaceTerminating', message: 'namespace x is being terminated' }];
  const error = errorFromAnswer(403, { reason: 'Forbidden', details: { causes } });
  expect(error.hasCause('NamespaceTerminating')).toBe(true);
  expect(error.hasCause('FieldValueInvalid')).toBe(false);
  expect(errorFromAnswer(403, {}).hasCause('NamespaceTerminating')).toBe(false);
});

test('an error is told by its kind, and a stranger is none of ours', () => {
  const error = new KubeError('gone', 410, {});
  expect(isKubeError(error)).toBe(true);
  expect(isKubeError(error, 'conflict', 'gone')).toBe(true);
  expect(isKubeError(error, 'notFound')).toBe(false);
  expect(isKubeError(new Error('gone'), 'gone')).toBe(false);
});
