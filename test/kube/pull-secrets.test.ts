import { expect, test } from '@jest/globals';
import { PullSecrets, loginsIn } from '../../src/kube/pull-secrets.ts';
import type { Transport } from '../../src/kube/transport.ts';

const auth = (text: string) => Buffer.from(text).toString('base64');
const config = (auths: object) => JSON.stringify({ auths });
const LOGIN = { username: 'me', password: 'a:b' };

test.each<[what: string, text: string, logins: object]>([
  [
    'what kubectl writes',
    config({ 'registry.example': { ...LOGIN, auth: auth('me:a:b') } }),
    { 'registry.example': LOGIN },
  ],
  [
    'what docker login writes',
    config({ 'registry.example:5000': { auth: auth('me:a:b') } }),
    { 'registry.example:5000': LOGIN },
  ],
  ['a URL', config({ 'https://registry.example/v2/': { auth: auth('me:a:b') } }), { 'registry.example': LOGIN }],
  ['Docker Hub', config({ 'https://index.docker.io/v1/': { auth: auth('me:a:b') } }), { 'docker.io': LOGIN }],
  ['a helper elsewhere', config({ 'registry.example': {} }), {}],
  ['nothing for a registry', config({ 'registry.example': null }), {}],
  ['no password', config({ 'registry.example': { auth: auth('me') } }), {}],
  ['no logins', '{}', {}],
  ['no JSON', 'x', {}],
  ['nothing', '', {}],
])('%s', (_what, text, logins) => {
  expect(Object.fromEntries(loginsIn(text))).toEqual(logins);
});

test('the first Secret that knows the registry counts; each is read once a minute, and one that could not be read is read again', async () => {
  const read: string[] = [];
  const secrets: Record<string, string> = {
    one: config({ 'other.example': { auth: auth('you:c') } }),
    two: config({ 'registry.example': { auth: auth('me:a:b') } }),
  };
  const call = (_method: string, path: string) => {
    read.push(path);
    const text = secrets[path.split('/').at(-1)!];
    return text === undefined
      ? Promise.reject(new Error('forbidden'))
      : Promise.resolve({ data: { '.dockerconfigjson': auth(text) } });
  };
  const pull = new PullSecrets({ call } as unknown as Pick<Transport, 'call'>, 'workbenches');
  expect(await pull.login(['one', 'two'], 'registry.example')).toEqual(LOGIN);
  expect(await pull.login(['one', 'two'], 'nobody.example')).toBeUndefined();
  expect(read).toEqual(['one', 'two'].map((name) => `/api/v1/namespaces/workbenches/secrets/${name}`));
  await expect(pull.login(['three'], 'registry.example')).rejects.toThrow('forbidden');
  secrets.three = secrets.two!;
  expect(await pull.login(['three'], 'registry.example')).toEqual(LOGIN);
});
