import { describe, expect, test } from '@jest/globals';
import { isUser, specSchema } from '../../src/workbench/resource.ts';
import type { Permission, Share } from '../../src/workbench/resource.ts';
import { includes, permissionOf, proofOf, shareSteps } from '../../src/workbench/shares.ts';
import type { Right } from '../../src/workbench/shares.ts';
import { stamp } from '../../src/workbench/identity.ts';
import { workbench } from './sample.ts';

const bob: Share = { user: 'bob', permission: 'read' };
const carol: Share = { user: 'carol', permission: 'read-write' };

test.each<[user: string, shares: Share[] | undefined, right: Right | undefined]>([
  ['alice', undefined, 'owner'],
  ['alice', [{ user: 'alice', permission: 'read' }], 'owner'],
  ['bob', undefined, undefined],
  ['bob', [], undefined],
  ['bob', [bob, carol], 'read'],
  ['carol', [bob, carol], 'read-write'],
  ['Bob', [bob], undefined],
  ['bob ', [bob], undefined],
  ['b', [bob], undefined],
  ['', [bob], undefined],
  ['*', [bob], undefined],
  ['__proto__', [bob], undefined],
  ['constructor', undefined, undefined],
  ['__proto__', [{ user: '__proto__', permission: 'read' }], 'read'],
])('what %j may do where the shares are %j: %s', (user, shares, right) => {
  expect(permissionOf(workbench(shares ? { shares } : {}), user)).toBe(right);
});

test.each<[right: string, includesThese: Right[]]>([
  ['read', ['read']],
  ['read-write', ['read', 'read-write']],
  ['owner', ['read', 'read-write', 'owner']],
  ['admin', []],
])('%s includes %j', (right, included) => {
  const all: Right[] = ['read', 'read-write', 'owner'];
  expect(all.filter((needed) => includes(right as Right, needed))).toEqual(included);
});

test('an owner’s write rests on the owner, a recipient’s on the very share, a stranger’s on what is not so', () => {
  const seen = workbench({ shares: [bob, carol] });
  expect(proofOf(seen, 'alice')).toEqual({ op: 'test', path: '/spec/owner', value: 'alice' });
  expect(proofOf(seen, 'carol')).toEqual({ op: 'test', path: '/spec/shares/1', value: carol });
  expect(proofOf(seen, 'mallory')).toEqual({ op: 'test', path: '/spec/owner', value: 'mallory' });
});

describe('a share', () => {
  const unchanged = { op: 'test', path: '/metadata/generation', value: 3 };
  const bobAsSeen = { op: 'test', path: '/spec/shares/0', value: bob };
  test.each<[what: string, shares: Share[] | undefined, user: string, permission: Permission | null, steps: object[]]>([
    ['the first', undefined, 'bob', 'read', [unchanged, { op: 'add', path: '/spec/shares', value: [bob] }]],
    [
      'another, whatever else is put there',
      [bob],
      'carol',
      'read-write',
      [{ op: 'add', path: '/spec/shares/-', value: carol }],
    ],
    ['after all were taken back', [], 'bob', 'read', [{ op: 'add', path: '/spec/shares/-', value: bob }]],
    ['the same again', [bob], 'bob', 'read', [bobAsSeen]],
    [
      'more',
      [bob],
      'bob',
      'read-write',
      [bobAsSeen, { op: 'replace', path: '/spec/shares/0/permission', value: 'read-write' }],
    ],
    ['taken back', [bob, carol], 'bob', null, [bobAsSeen, { op: 'remove', path: '/spec/shares/0' }]],
    ['taken back that was not there, if that is still so', [bob], 'dave', null, [unchanged]],
  ])('%s', (_what, shares, user, permission, steps) => {
    expect(shareSteps(workbench(shares ? { shares } : {}), user, permission)).toEqual(steps);
  });

  test('restarts nobody: the stamp of the Pod does not know of it', () => {
    expect(stamp(workbench({ shares: [bob] }))).toBe(stamp(workbench()));
  });
});

test.each<[what: string, share: unknown, isGood: boolean]>([
  ['of an odd name', { user: '/\u{1F680} "ä" ../__proto__', permission: 'read' }, true],
  [
    'of the longest name, in characters that take two units',
    { user: '\u{1F680}'.repeat(253), permission: 'read' },
    true,
  ],
  ['of a name that is too long', { user: 'x'.repeat(254), permission: 'read' }, false],
  ['of nobody', { user: '', permission: 'read' }, false],
  ['of a name with a line break', { user: 'a\nb', permission: 'read' }, false],
  ['of half a character', { user: '\ud83d', permission: 'read' }, false],
  ['without a permission', { user: 'bob' }, false],
  ['of another permission', { user: 'bob', permission: 'admin' }, false],
  ['with more in it', { user: 'bob', permission: 'read', until: 'tomorrow' }, false],
])('a share %s', (_what, share, isGood) => {
  expect(specSchema.safeParse({ owner: 'alice', shares: [share] }).success).toBe(isGood);
});

test('a workbench is shared with a hundred users at most', () => {
  const shares = Array.from({ length: 101 }, (_, index) => ({ user: `user-${index}`, permission: 'read' }));
  expect(specSchema.safeParse({ owner: 'alice', shares }).success).toBe(false);
  expect(specSchema.safeParse({ owner: 'alice', shares: shares.slice(1) }).success).toBe(true);
});

test.each<[text: unknown, is: boolean]>([
  ['alice', true],
  [' ', true],
  ['a\u2028b', false],
  ['a\u0000b', false],
  [7, false],
  [undefined, false],
])('%j is a user: %s', (text, is) => {
  expect(isUser(text)).toBe(is);
});
