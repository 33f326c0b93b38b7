/** What `kubectl apply` may say, and what it is told: the CRD on a real API server, without any controller. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { judge } from '../kstatus.ts';
import { anApiServer } from './api-server.ts';
import type { ApiServer } from './api-server.ts';

let server: ApiServer;

beforeAll(async () => {
  server = await anApiServer();
});

afterAll(async () => {
  await server?.end();
});

const kubectl = (args: string[], input?: string) => server.cluster.kubectl([...args, '-n', server.namespace], input);
const manifest = (name: string, spec: unknown, more: object = {}) =>
  stringify({
    apiVersion: 'workbench.h1st.ai/v1',
    kind: 'Workbench',
    metadata: { name },
    spec,
    ...more,
  });
const apply = (text: string) => kubectl(['apply', '-f', '-'], text);

describe('a bad manifest is refused with a sentence', () => {
  const owner = 'alice';
  test.each<[what: string, name: string, spec: object, sentence: RegExp]>([
    ['a name of 41 characters', 'a'.repeat(41), { owner }, /DNS label of at most 40 characters/],
    ['a name with a dot', 'a.b', { owner }, /DNS label of at most 40 characters/],
    ['a name that starts with a digit', '1st', { owner }, /starting with a letter/],
    ['no owner', 'a', {}, /spec\.owner: Required value/],
    ['an empty owner', 'a', { owner: '' }, /spec\.owner/],
    ['an owner with a line break', 'a', { owner: 'a\nb' }, /owner must be printable text/],
    ['an owner of 254 characters', 'a', { owner: 'x'.repeat(254) }, /253/],
    ['a state that is none', 'a', { owner, state: 'Paused' }, /"Running", "Stopped"/],
    ['an image with a space', 'a', { owner, image: 'a b' }, /image must be an image reference/],
    ['an image with a short digest', 'a', { owner, image: 'a@sha256:123' }, /image must be an image reference/],
    [
      'a size in words',
      'a',
      { owner, resources: { cpu: 'two' } },
      /cpu must be a positive Kubernetes quantity such as 2 or 500m/,
    ],
    [
      'a size of zero',
      'a',
      { owner, resources: { memory: '0' } },
      /memory must be a positive Kubernetes quantity such as 4Gi/,
    ],
    ['a negative size', 'a', { owner, resources: { cpu: -1 } }, /cpu must be a positive/],
    ['half a GPU', 'a', { owner, resources: { gpu: 0.5 } }, /gpu/],
    [
      'a reserved variable',
      'a',
      { owner, env: [{ name: 'WORKBENCH_URL', value: 'x' }] },
      /reserved for the controller/,
    ],
    ['a variable that is no name', 'a', { owner, env: [{ name: '1A', value: 'x' }] }, /C identifier/],
    [
      'a variable that is there twice',
      'a',
      {
        owner,
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
      /Duplicate value|duplicate/,
    ],
    ['a field that is unknown', 'a', { owner, colour: 'red' }, /unknown field "spec\.colour"/],
    ['a Pod template', 'a', { owner, template: { spec: { hostNetwork: true } } }, /unknown field "spec\.template"/],
  ])('%s', async (_what, name, spec, sentence) => {
    await expect(apply(manifest(name, spec))).rejects.toThrow(sentence);
  });

  test('no spec at all', async () => {
    await expect(apply(manifest('a', undefined))).rejects.toThrow(/spec: Required value/);
  });
});

describe('a good manifest', () => {
  test.each<[what: string, spec: object]>([
    ['the least', { owner: 'alice' }],
    ['sizes as numbers and as text', { owner: 'alice', resources: { cpu: 2, memory: '4Gi', gpu: 1 } }],
    ['fractions', { owner: 'alice', resources: { cpu: '0.5', memory: '1.5Gi' } }],
    ['an owner in any script', { owner: 'Ærø 李 <a@b.example>', displayName: 'Génome “lab”' }],
    [
      'an image with port, path, tag and digest',
      { owner: 'alice', image: `registry.example:5000/a/b-c/d:v1.2@sha256:${'a'.repeat(64)}` },
    ],
    [
      'everything',
      { owner: 'alice', displayName: 'x', state: 'Stopped', run: '3', image: 'lab', env: [{ name: 'A', value: '' }] },
    ],
  ])('%s', async (_what, spec) => {
    await apply(manifest('good', spec));
    await kubectl(['delete', 'wb', 'good']);
  });

  test('reads as not seen yet, by kubectl and by kstatus, until a controller looks at it', async () => {
    await apply(manifest('unseen', { owner: 'alice' }));
    const row = await kubectl(['get', 'workbenches', 'unseen', '--no-headers']);
    expect(row).toMatch(/^unseen\s+alice\s+Starting\s+NotSeenYet\s/);
    expect(await kstatus('unseen')).toMatch(/^InProgress/);
    expect(await kubectl(['get', 'wb', '--field-selector', 'spec.owner=alice', '-o', 'name'])).toContain('/unseen');
    expect(await kubectl(['get', 'wb', '--field-selector', 'spec.owner=bob', '-o', 'name'])).toBe('');
    expect(await kubectl(['get', 'wb', '--field-selector', 'spec.state=Running', '-o', 'name'])).toContain('/unseen');
  });
});

async function kstatus(name: string): Promise<string> {
  return judge(server.cluster, await kubectl(['get', 'wb', name, '-o', 'json']));
}
