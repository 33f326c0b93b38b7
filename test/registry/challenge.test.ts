import { expect, test } from '@jest/globals';
import { parseChallenge } from '../../src/registry/challenge.ts';

const TOKENS = { scheme: 'bearer', realm: 'https://auth.example/token', service: 'registry.example' };

test.each<[what: string, header: string | string[] | undefined, found: object | undefined]>([
  ['tokens', 'Bearer realm="https://auth.example/token",service="registry.example"', TOKENS],
  [
    'a scope that is known already',
    'Bearer realm="https://auth.example/token", service="registry.example", scope="repository:lab:pull"',
    TOKENS,
  ],
  ['spaces and other cases', 'bearer  Realm = "https://auth.example/token" ,  SERVICE="registry.example"', TOKENS],
  ['a value without quotes', 'Bearer realm=https://auth.example/token,service=registry.example', TOKENS],
  ['a quote within', String.raw`Basic realm="the \"lab\""`, { scheme: 'basic', realm: 'the "lab"' }],
  ['a password', 'Basic realm="registry"', { scheme: 'basic', realm: 'registry' }],
  ['a password, without a name for what it opens', 'Basic', { scheme: 'basic' }],
  [
    'a choice, in one header',
    `Basic realm="registry", Bearer realm="https://auth.example/token",service="registry.example"`,
    TOKENS,
  ],
  [
    'a choice, in two',
    ['Basic realm="registry"', 'Bearer realm="https://auth.example/token",service="registry.example"'],
    TOKENS,
  ],
  ['something unheard of', 'Negotiate', undefined],
  ['nothing', undefined, undefined],
  ['nonsense', ',,,="=', undefined],
])('%s', (_what, header, found) => {
  expect(parseChallenge(header)).toEqual(found);
});
