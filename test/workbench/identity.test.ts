import { describe, expect, test } from '@jest/globals';
import {
  basePath,
  controllerOf,
  ingressName,
  isOurs,
  isPredecessors,
  labels,
  ownerReference,
  podName,
  publicEndpoint,
  serviceName,
  stamp,
} from '../../src/workbench/identity.ts';
import type { KubeObject, OwnerReference } from '../../src/workbench/objects.ts';
import type { Workbench, WorkbenchSpec } from '../../src/workbench/resource.ts';
import { workbench } from './sample.ts';

const named = (name: string, uid: string, spec: Partial<WorkbenchSpec> = {}): Workbench => {
  const { metadata, ...rest } = workbench(spec);
  return { ...rest, metadata: { ...metadata, name, uid } };
};

describe('names', () => {
  const one = named('genome', 'uid-1');

  test('are the same at each pass, so that a repeated create is answered AlreadyExists', () => {
    expect([podName(one), serviceName(one), ingressName(one)]).toEqual([
      podName(named('genome', 'uid-1')),
      serviceName(named('genome', 'uid-1')),
      'genome',
    ]);
  });

  test('of Pods differ by run and by incarnation, of Services by incarnation only', () => {
    const again = named('genome', 'uid-1', { run: '2' });
    const successor = named('genome', 'uid-2');
    expect(new Set([one, again, successor].map((owner) => podName(owner))).size).toBe(3);
    expect(serviceName(again)).toBe(serviceName(one));
    expect(serviceName(successor)).not.toBe(serviceName(one));
  });

  test('are DNS labels, even for the longest id and a hostile run', () => {
    const longest = named('a'.repeat(40), 'uid-1', { run: '../../$(x)\n' });
    for (const name of [podName(longest), serviceName(longest), ingressName(longest)]) {
      expect(name).toMatch(/^[a-z][-a-z0-9]{0,61}[a-z0-9]$/);
    }
  });

  test('of two workbenches never meet, though one id begins like the other', () => {
    expect(podName(named('a', 'uid-1'))).not.toBe(podName(named('a', 'uid-2')));
    expect(podName(named('a-b', 'uid-1')).startsWith('a-b-')).toBe(true);
  });

  test('keep apart what a UID and a run could be glued to', () => {
    expect(podName(named('a', 'u', { run: '1/2' }))).not.toBe(podName(named('a', 'u/1', { run: '2x' })));
  });
});

describe('whose an object is', () => {
  const mine = workbench();
  const reference = ownerReference(mine);
  const owned = (...ownerReferences: OwnerReference[]): KubeObject => ({ metadata: { name: 'x', ownerReferences } });

  test.each<[what: string, object: KubeObject, ours: boolean, predecessors: boolean]>([
    ['owned by this workbench', owned(reference), true, false],
    ['owned by an earlier one of its name', owned({ ...reference, uid: 'uid-0' }), false, true],
    ['owned by another workbench', owned({ ...reference, uid: 'uid-9', name: 'other' }), false, false],
    ['owned by another kind of its name', owned({ ...reference, uid: 'uid-9', kind: 'Notebook' }), false, false],
    ['that names it as an owner, not as the controller', owned({ ...reference, controller: false }), false, false],
    [
      'with two owners, one its controller',
      owned({ ...reference, uid: 'x', controller: false }, reference),
      true,
      false,
    ],
    ['without an owner', owned(), false, false],
    ['that bears its labels only', { metadata: { name: 'x', labels: labels(mine) } }, false, false],
  ])('%s: ours %s, its predecessor’s %s', (_what, object, ours, predecessors) => {
    expect([isOurs(object, mine), isPredecessors(object, mine)]).toEqual([ours, predecessors]);
  });

  test('a workbench without a UID owns nothing, least of all what has an empty one', () => {
    const { uid: _, ...metadata } = mine.metadata;
    const unborn = { ...mine, metadata };
    expect(isOurs(owned({ ...reference, uid: '' }), unborn)).toBe(false);
    expect(controllerOf(owned())).toBeUndefined();
  });
});

describe('addresses', () => {
  test.each([
    ['https://cloud.example', '/project/genome', 'https://cloud.example/project/genome'],
    ['https://cloud.example/ide', '/ide/project/genome', 'https://cloud.example/ide/project/genome'],
    ['http://[2001:db8::7]:80', '/project/genome', 'http://[2001:db8::7]:80/project/genome'],
    [undefined, '/project/genome', '/project/genome'],
  ])('under %s', (baseUrl, path, url) => {
    const settings = baseUrl ? { baseUrl } : {};
    expect(basePath('genome', settings)).toBe(path);
    expect(publicEndpoint('genome', settings)).toBe(url);
  });
});

describe('the stamp of a Pod', () => {
  const before: Partial<WorkbenchSpec> = { image: 'lab:v1', resources: { cpu: '2' }, env: [{ name: 'A', value: 'b' }] };
  const changes = (spec: Partial<WorkbenchSpec>) =>
    stamp(workbench({ ...before, ...spec })) !== stamp(workbench(before));

  test.each<[what: string, spec: Partial<WorkbenchSpec>, expected: boolean]>([
    ['the image', { image: 'lab:v2' }, true],
    ['a size', { resources: { cpu: '3' } }, true],
    ['a size moved to another name', { resources: { memory: '2' } }, true],
    ['a value', { env: [{ name: 'A', value: 'c' }] }, true],
    ['one more variable', { env: [...before.env!, { name: 'B', value: '' }] }, true],
    ['a number for the same text', { resources: { cpu: 2 } }, false],
    ['the name for people', { displayName: 'Genome lab' }, false],
    ['the owner', { owner: 'bob' }, false],
    ['the run', { run: '7' }, false],
    ['stop', { state: 'Stopped' }, false],
  ])('after an edit of %s, changes: %s', (_what, spec, expected) => {
    expect(changes(spec)).toBe(expected);
  });
});
