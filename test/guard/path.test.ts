import { describe, expect, test } from '@jest/globals';
import { placeOf } from '../../src/guard/path.ts';

const of = (uri: string) => placeOf(uri, '/project/');

describe('a path that everybody reads alike is of its workbench', () => {
  test.each([
    '/project/genome',
    '/project/genome?x=/../..',
    '/project/genome/',
    '/project/genome/lab/tree/a%20b.ipynb?token=x#',
    '/project/genome//static//a.js',
    '/project/genome/api/contents/a%2Fb',
    '/project/genome/files/..a/b../...',
    '/project/genome/files/100%25',
    '/project/genome/files/%E2%82%AC',
    '/project/genome/files/%25zz',
    '/project/genome/@jupyterlab/x:y;v=1',
    '/project/genome/%7Euser/~user',
  ])('%s', (uri) => expect(of(uri)).toEqual({ id: 'genome' }));
});

describe('the guard has pages of its own', () => {
  test.each(['callback', 'enter', 'login', 'logout'])('%s', (own) =>
    expect(of(`/project/-/${own}?state=x`)).toEqual({ own }),
  );
});

describe('whatever two could read differently is of none', () => {
  test.each([
    '',
    '*',
    '/',
    '/project',
    '/project/',
    '/project//genome',
    '//project/genome',
    '/Project/genome',
    '/project/Genome',
    '/project/genome.',
    '/project/genome;x',
    '/project/genome%2flab',
    '/project/%67enome',
    '/project/genome%00',
    '/project/genome/%00',
    '/project/genome/%2500',
    '/project/genome\\..\\other',
    '/project/genome/..',
    '/project/genome/.',
    '/project/genome/./lab',
    '/project/genome/../other',
    '/project/genome/..;/other',
    '/project/genome/..;a=b/other',
    '/project/genome/%2e%2e/other',
    '/project/genome/.%2E/other',
    '/project/genome/%2e%2e%2fother',
    '/project/genome/x%2f..%2f..%2fother',
    '/project/genome/x%5c..%5c..%5cother',
    '/project/genome/%252e%252e/other',
    '/project/genome/%25252e%25252e/other',
    '/project/genome/%2525252525252e',
    '/project/genome/%zz',
    '/project/genome/%',
    '/project/genome/%c0%ae%c0%ae/other',
    '/project/genome/é',
    '/project/genome/a b',
    '/project/genome/\u0000',
    '/project/genome/\r\nx: y',
    '/project/genome/#/../other',
    '/project/-',
    '/project/-/',
    '/project/-/callback/',
    '/project/-/callback/../../genome',
    '/project/-/else',
    '/x/project/genome',
    'http://cloud.example/project/genome',
    'project/genome',
  ])('%j', (uri) => expect(of(uri)).toBeUndefined());
});
