import { describe, expect, test } from '@jest/globals';
import { Collection, isNewer } from '../../src/kube/collection.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';

interface Thing extends KubeObject {
  owner: string;
}

const thing = (version: number, { name = 'lab', uid = 'uid-1', owner = 'alice' } = {}): Thing => ({
  metadata: { name, uid, resourceVersion: String(version) },
  owner,
});
const next = { uid: 'uid-2', owner: 'bob' };

/** A collection by owner, and what its listener was told: "alice@10". */
function collection(): { things: Collection<Thing>; told: string[] } {
  const told: string[] = [];
  const things = new Collection<Thing>({
    indexBy: ({ owner }) => [owner],
    onChange: (thing, before) => told.push([before, thing].filter(isDefined).map(describeThing).join(' → ')),
  });
  return { things, told };
}

const isDefined = (one: Thing | undefined) => one !== undefined;
const describeThing = (one: Thing | undefined) => `${one!.owner}@${one!.metadata.resourceVersion}`;
const version = (things: Collection<Thing>) => things.get('lab')?.metadata.resourceVersion;

describe('which of two resourceVersions is newer', () => {
  test.each([
    ['11', '10', true],
    ['10', '11', false],
    ['10', '10', false],
    ['100', '99', true],
    ['9', '10', false],
    ['1', undefined, true],
    [undefined, '1', false],
    [undefined, undefined, false],
    ['9007199254740993', '9007199254740992', true],
    ['9007199254740992', '9007199254740993', false],
    ['100000000000000000000000000001', '99999999999999999999999999999', true],
  ])('%s after %s: %s', (one, other, expected) => {
    expect(isNewer(one, other)).toBe(expected);
  });
});

describe('a write of ours', () => {
  test('is seen before the watch brings it, and the watch brings it no second time', () => {
    const { things, told } = collection();
    things.wrote(thing(10));
    expect(version(things)).toBe('10');
    things.saw(thing(10));
    expect(told).toEqual(['alice@10']);
  });

  test('is not undone by the events before it', () => {
    const { things, told } = collection();
    things.wrote(thing(12));
    things.saw(thing(11));
    expect(version(things)).toBe('12');
    expect(told).toEqual(['alice@12']);
  });

  test('does not undo what the watch knows already', () => {
    const { things } = collection();
    things.saw(thing(13));
    things.wrote(thing(12));
    expect(version(things)).toBe('13');
  });

  test('whose answer comes after the watch saw its object go leaves no ghost', () => {
    const { things, told } = collection();
    things.saw(thing(10));
    things.sawDeleted(thing(12));
    things.wrote(thing(11));
    expect(things.size).toBe(0);
    expect(told).toEqual(['alice@10', 'alice@10']);
  });

  test('whose answer comes after a bookmark that passed it leaves no ghost either', () => {
    const { things } = collection();
    things.advance('20');
    things.wrote(thing(11));
    expect(things.size).toBe(0);
  });

  test('of a status is told to nobody', () => {
    const { things, told } = collection();
    things.saw(thing(10));
    things.wrote(thing(11), true);
    things.saw(thing(11));
    expect(version(things)).toBe('11');
    expect(told).toEqual(['alice@10']);
  });

  test('of a status that brings what somebody else has changed just before is told, since no event tells it any more', () => {
    const { things, told } = collection();
    things.saw(thing(10));
    things.wrote(thing(12, { owner: 'bob' }), true);
    things.saw(thing(11, { owner: 'bob' }));
    things.saw(thing(12, { owner: 'bob' }));
    expect(told).toEqual(['alice@10', 'alice@10 → bob@12']);
  });

  test('that deleted takes only the incarnation that it meant', () => {
    const { things } = collection();
    things.saw(thing(10, next));
    things.deleted('lab', 'uid-1');
    expect(things.size).toBe(1);
    things.deleted('lab', 'uid-2');
    expect(things.size).toBe(0);
  });
});

describe('the watch', () => {
  test('an older event changes nothing and tells nobody', () => {
    const { things, told } = collection();
    things.saw(thing(11));
    things.saw(thing(10));
    expect(version(things)).toBe('11');
    expect(told).toEqual(['alice@11']);
  });

  test('a delete and a recreate under one name leave the successor, and both owners hear of it', () => {
    const { things, told } = collection();
    things.saw(thing(10));
    things.sawDeleted(thing(11));
    things.saw(thing(12, next));
    expect(things.get('lab')?.metadata.uid).toBe('uid-2');
    expect(told).toEqual(['alice@10', 'alice@10', 'bob@12']);
  });

  test('the deletion of a predecessor, when it comes late, does not take its successor', () => {
    const { things } = collection();
    things.saw(thing(10));
    things.wrote(thing(12, next));
    things.sawDeleted(thing(11));
    expect(things.get('lab')?.metadata.uid).toBe('uid-2');
  });

  test('a successor that comes without the deletion before it is told together with what it replaced', () => {
    const { things, told } = collection();
    things.saw(thing(10));
    things.saw(thing(12, next));
    expect(told).toEqual(['alice@10', 'alice@10 → bob@12']);
  });

  test('an event that comes after the deletion of its object raises no ghost, and a list may bring it back', () => {
    const { things } = collection();
    things.saw(thing(10));
    things.sawDeleted(thing(12));
    things.saw(thing(11));
    expect(things.size).toBe(0);
    things.replace([thing(10)], '20');
    things.saw(thing(21));
    expect(version(things)).toBe('21');
  });

  test('the deletion of something unknown tells nobody', () => {
    const { things, told } = collection();
    things.sawDeleted(thing(10));
    expect(told).toEqual([]);
  });
});

describe('a whole list', () => {
  test('takes what it does not name, and brings what is new in it', () => {
    const { things, told } = collection();
    things.saw(thing(10));
    things.saw(thing(11, { name: 'old' }));
    things.replace([thing(12), thing(13, { name: 'new' })], '20');
    expect([...things.values()].map(({ metadata }) => metadata.name)).toEqual(['lab', 'new']);
    expect(told.slice(2)).toEqual(['alice@11', 'alice@10 → alice@12', 'alice@13']);
  });

  test('that is older than a write of ours does not undo it', () => {
    const { things } = collection();
    things.wrote(thing(25, { name: 'made' }));
    things.wrote(thing(26));
    things.replace([thing(10)], '20');
    expect(version(things)).toBe('26');
    expect(things.get('made')).toBeDefined();
  });

  test('that says nothing new tells nobody', () => {
    const { things, told } = collection();
    things.replace([thing(10)], '20');
    things.replace([thing(10)], '30');
    expect(told).toEqual(['alice@10']);
  });

  test('settles that what it does not name is gone, also for an answer that comes late', () => {
    const { things } = collection();
    things.replace([], '20');
    things.wrote(thing(19));
    expect(things.size).toBe(0);
  });
});

test('a list that is older than what the watch has seen is of an API server that was restored: nothing else is kept', () => {
  const { things } = collection();
  things.replace([thing(90), thing(91, { name: 'gone' })], '100');
  things.advance('150');
  things.replace([thing(40)], '50');
  expect(things.size).toBe(1);
  expect(version(things)).toBe('40');
  things.saw(thing(51));
  expect(version(things)).toBe('51');
});

describe('the index by owner', () => {
  test('finds all of one owner, and nothing of another', () => {
    const { things } = collection();
    things.saw(thing(10));
    things.saw(thing(11, { name: 'two' }));
    things.saw(thing(12, { name: 'three', owner: 'bob' }));
    expect(things.indexed('alice').map(({ metadata }) => metadata.name)).toEqual(['lab', 'two']);
    expect(things.indexed('carol')).toEqual([]);
  });

  test('follows an object to its next owner', () => {
    const { things } = collection();
    things.saw(thing(10));
    things.saw(thing(11, { owner: 'bob' }));
    expect(things.indexed('alice')).toEqual([]);
    expect(things.indexed('bob')).toHaveLength(1);
  });

  test('forgets what is gone', () => {
    const { things } = collection();
    things.saw(thing(10));
    things.sawDeleted(thing(11));
    expect(things.indexed('alice')).toEqual([]);
  });
});
