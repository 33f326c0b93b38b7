import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { parseAuditLine } from './audit.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { fileName } from './pki.ts';

test('a kubeconfig holds all it needs and names one context', () => {
  const text = renderKubeconfig({ server: 'https://127.0.0.1:1', user: 'alice', ca: 'CA', cert: 'CERT', key: 'KEY' });
  const base64 = (plain: string): string => Buffer.from(plain).toString('base64');
  expect(parse(text)).toMatchObject({
    'current-context': 'workbench',
    contexts: [{ name: 'workbench', context: { cluster: 'workbench', user: 'alice' } }],
    clusters: [
      { name: 'workbench', cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': base64('CA') } },
    ],
    users: [{ name: 'alice', user: { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') } }],
  });
});

test('a user name becomes a file name without a way out of the directory', () => {
  expect(fileName('system:node:real-0')).toBe('system+node+real-0');
  expect(() => fileName('../x')).toThrow('"../x"');
});

const event = {
  stage: 'ResponseComplete',
  verb: 'create',
  requestURI: '/api/v1/namespaces/a/pods/p/binding',
  requestReceivedTimestamp: '2026-11-24T12:00:00.000000Z',
  stageTimestamp: '2026-11-24T12:00:00.004000Z',
  user: { username: 'alice' },
  objectRef: { resource: 'pods', subresource: 'binding', namespace: 'a', name: 'p' },
  responseStatus: { code: 201 },
};

test('an audit line is told as one call', () => {
  expect(parseAuditLine(JSON.stringify(event), 'alice')).toEqual({
    at: event.requestReceivedTimestamp,
    answered: event.stageTimestamp,
    verb: 'create',
    resource: 'pods',
    subresource: 'binding',
    namespace: 'a',
    name: 'p',
    code: 201,
    requestURI: event.requestURI,
  });
});

test.each([
  ['of another user', JSON.stringify({ ...event, user: { username: 'bob' } })],
  ['of another stage', JSON.stringify({ ...event, stage: 'Panic' })],
  ['half written', JSON.stringify(event).slice(0, 50)],
])('a line %s is left out', (_, line) => {
  expect(parseAuditLine(line, 'alice')).toBeUndefined();
});
