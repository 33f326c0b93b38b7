/**
 * Manifests of somebody who means harm, and classes of somebody who errs, on a real API server with restricted Pod Security in
 * force: each is refused, there or by its status, or is a workbench as any other. In the end every Pod that was ever made is
 * judged. The author may write Workbenches and nothing else; what a confused deputy does would be done with the controller's rights.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isKubeError } from '../../src/kube/errors.ts';
import type { KubeError } from '../../src/kube/errors.ts';
import { collectionPath, objectPath } from '../../src/kube/kinds.ts';
import type { Kind } from '../../src/kube/kinds.ts';
import { claimName, controllerOf } from '../../src/workbench/identity.ts';
import type { KubeObject, Pod } from '../../src/workbench/objects.ts';
import { API_VERSION } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { client } from '../client.ts';
import { runKubectl } from '../cluster/access/kubectl.ts';
import { eventually } from '../eventually.ts';
import { CONTROLLER_USER } from '../installation.ts';
import { asTheProcessReads, wrongWith } from '../restricted.ts';
import { scrape } from '../scrape.ts';
import { FEATURES, MISTAKES } from './hostile-classes.ts';
import { METADATA, SMUGGLED } from './hostile-fields.ts';
import { CLAIMS, NAMESPACE, STRANGERS, prepare } from './hostile-ground.ts';
import type { Ground } from './hostile-ground.ts';
import { ATTACKS, ODD_NAMES } from './hostile-specs.ts';
import type { End } from './hostile-specs.ts';

let ground: Ground;
let victim: { name: string; uid: string };
let count = 0;
const nextName = () => `w-${(count += 1)}`;

beforeAll(async () => {
  ground = await prepare();
  const alices = client(ground.installation.rest, 'alice');
  const { workbench_id: name } = await alices.create();
  await alices.until(name, 'running');
  victim = { name, uid: (await ground.read(name)).metadata.uid! };
});

afterAll(() => ground?.end());

const until = (name: string, what: string, isSo: (seen: Workbench) => boolean) =>
  eventually(what, () => ground.read(name), isSo);

async function endsAs(end: End, answer: KubeObject | KubeError): Promise<void> {
  if (typeof end === 'object' && 'refused' in end) {
    expect(answer).toMatchObject({ name: 'KubeError', code: 422, message: expect.stringMatching(end.refused) });
    return;
  }
  if (isKubeError(answer)) throw answer;
  const { name } = answer.metadata;
  if (end === 'Running') await until(name, end, ({ status }) => status?.phase === end);
  else await until(name, end.reason, ({ status }) => status?.reason === end.reason);
  // What waits for a node has been made, and what was refused has not.
  if (end === 'Running' || end.reason === 'Unschedulable')
    await until(name, 'made', () => ground.pods.podOf(name) !== undefined);
  else expect(ground.pods.podOf(name)).toBeUndefined();
}

/** The controller has seen all that there is of a kind. */
const untilKnown = (kind: Kind) =>
  eventually(
    `${kind}s known`,
    async () => {
      const { items } = await ground.admin.call<{ items: unknown[] }>('GET', collectionPath(kind, NAMESPACE));
      const { value } = await scrape(ground.installation.health);
      return [items.length, value('workbench_controller_store_objects', { kind })];
    },
    ([there, known]) => there === known,
  );

test('the namespace takes no Pod that is not restricted, so it judges those of this test, too', async () => {
  const root = ['run', 'root', '-n', NAMESPACE, '--image=registry.example/x', '--privileged'];
  await expect(ground.cluster.kubectl(root)).rejects.toThrow(/violates PodSecurity "restricted:latest"/);
});

describe('the words of a spec', () => {
  test.each(ATTACKS)('%s', async (_what, spec, end) => {
    await endsAs(end, await ground.send({ name: nextName() }, spec));
  });

  test('a whole spec of more than the API server reads is refused', async () => {
    expect(await ground.send({ name: nextName() }, { displayName: 'x'.repeat(4 << 20) })).toMatchObject({ code: 413 });
  });
});

describe('fields that are none are dropped, and a client that asks for it is told', () => {
  test.each(SMUGGLED)('%s', async (_what, spec, left, end) => {
    const answer = await ground.send({ name: nextName() }, spec);
    await endsAs(end, answer as Workbench);
    expect((answer as Workbench).spec).toEqual({ owner: 'mallory', state: 'Running', ...left });
    const body = { apiVersion: API_VERSION, kind: 'Workbench', metadata: { name: nextName() }, spec };
    const path = `${collectionPath('Workbench', NAMESPACE)}?fieldValidation=Strict&dryRun=All`;
    const told = { code: 400, message: expect.stringContaining('unknown field') };
    await expect(ground.author.call('POST', path, { body })).rejects.toMatchObject(told);
  });

  test('at the root of an object, too', async () => {
    const pod = { hostNetwork: true, containers: [{ name: 'evil', image: 'evil.example/x' }] };
    const answer = await ground.send({ name: nextName() }, {}, { template: pod, podSpec: pod, data: pod });
    await endsAs('Running', answer as Workbench);
    const fields = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
    expect(Object.keys(answer).filter((field) => !fields.includes(field))).toEqual([]);
  });
});

describe('metadata', () => {
  const attacks = METADATA({ name: 'VICTIM', uid: 'UID' });
  test.each(attacks.map(([what], index) => [what, index] as const))('%s', async (_what, index) => {
    const [, metadata, end] = METADATA(victim)[index]!;
    await endsAs(end, await ground.send({ name: nextName(), ...metadata }, {}));
  });

  test('an author who says that a status is so is not believed, and may not write one', async () => {
    const status = { phase: 'Running', podUID: victim.uid, publicEndpoint: 'https://evil.example' };
    const answer = (await ground.send({ name: nextName() }, { state: 'Stopped' }, { status })) as Workbench;
    expect(answer.status).toMatchObject({ reason: 'NotSeenYet', observedGeneration: -1 });
    const path = `${objectPath('Workbench', NAMESPACE, answer.metadata.name)}/status`;
    const patch = { body: { status }, contentType: 'application/merge-patch+json' };
    await expect(ground.author.call('PATCH', path, patch)).rejects.toMatchObject({ code: 403 });
  });

  test('a status that somebody did write is put right, and leads to no other repository', async () => {
    const answer = (await ground.send({ name: nextName() }, { state: 'Stopped' })) as Workbench;
    const { name } = answer.metadata;
    await until(name, 'Stopped', ({ status }) => status?.phase === 'Stopped');
    const image = { requested: 'registry.example/lab:latest', digest: `sha256:${'e'.repeat(64)}` };
    const status = { phase: 'Running', run: '', image, podUID: victim.uid, reason: '__proto__', message: '<script>' };
    const path = objectPath('Workbench', NAMESPACE, name);
    const patch = (body: object[]) => ({ body, contentType: 'application/json-patch+json' });
    await ground.admin.call('PATCH', `${path}/status`, patch([{ op: 'add', path: '/status', value: status }]));
    await until(name, 'put right', (seen) => seen.status?.phase === 'Stopped' && seen.status.reason === undefined);
    await ground.author.call('PATCH', path, patch([{ op: 'replace', path: '/spec/state', value: 'Running' }]));
    await endsAs('Running', answer);
  });
});

describe('what somebody else has put there', () => {
  test.each(STRANGERS)('%s is left alone, and told of until it goes', async (_what, kind, of) => {
    const name = nextName();
    const its = (await ground.send({ name }, { class: 'files', state: 'Stopped' })) as Workbench;
    const stranger = of(its) as KubeObject;
    const body = { apiVersion: 'v1', kind, ...stranger };
    const made = await ground.admin.call<KubeObject>('POST', collectionPath(kind, NAMESPACE), { body });
    await untilKnown(kind);
    await ground.author.call('PATCH', objectPath('Workbench', NAMESPACE, name), {
      body: { spec: { state: 'Running' } },
      contentType: 'application/merge-patch+json',
    });
    await endsAs({ reason: 'NameConflict' }, its);
    const path = objectPath(kind, NAMESPACE, stranger.metadata.name);
    const { uid, labels, ownerReferences } = (await ground.admin.call<KubeObject>('GET', path)).metadata;
    expect({ uid, labels, ownerReferences }).toEqual({ uid: made.metadata.uid, labels: stranger.metadata.labels });
    await ground.admin.call('DELETE', path, { body: { gracePeriodSeconds: 0 } });
    await until(name, 'made', () => ground.pods.podOf(name) !== undefined);
  });
});

/** A list of eight, of eight, of eight … */
const LISTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
const BOMB = LISTS.map(
  (name, index) => `${name}: &${name} [${(index === 0 ? 'x,' : `*${LISTS[index - 1]},`).repeat(8)}]\n`,
).join('');

describe('manifests that a parser reads in its own way', () => {
  const workbench = `apiVersion: ${API_VERSION}\nkind: Workbench\nmetadata: {name: yaml}\n`;
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: []}';
  test.each<[what: string, text: string, sentence: RegExp]>([
    ['a value that is no number', `${workbench}spec: {owner: mallory, resources: {cpu: .nan}}`, /NaN|cpu/],
    ['a value without end', `${workbench}spec: {owner: mallory, resources: {gpu: .inf}}`, /Inf|gpu/],
    ['aliases of aliases', `${workbench}${BOMB}spec: {owner: mallory}`, /excessive aliasing|too large|limit/],
    ['a Pod behind it', `${workbench}spec: {owner: mallory}\n---\n${pod}`, /cannot (get|create) resource "pods"/],
    ['a class', `apiVersion: ${API_VERSION}\nkind: WorkbenchClass\nmetadata: {name: mine}\nspec: {}`, /cannot get/],
  ])('%s', async (_what, text, sentence) => {
    const { cluster, authorsKubeconfig } = ground;
    const apply = ['apply', '-n', NAMESPACE, '-f', '-'];
    await expect(runKubectl(cluster.binary('kubectl'), authorsKubeconfig, apply, text)).rejects.toThrow(sentence);
  });
});

describe('classes', () => {
  test.each(MISTAKES)('an administrator errs: %s', async (_what, spec, end) => {
    const name = nextName();
    const offered = await ground.offer(name, spec);
    if (typeof end === 'object' && 'refused' in end) await endsAs(end, offered);
    else await endsAs(end, await ground.send({ name }, { class: name }));
  });

  test.each(FEATURES)('Pod Security takes the Pod of a class $name', async ({ name, spec, wish }) => {
    expect(await ground.offer(name, spec)).not.toBeInstanceOf(Error);
    expect(await ground.send({ name }, { class: name, ...wish })).not.toBeInstanceOf(Error);
    await until(name, 'made', () => ground.pods.podOf(name) !== undefined);
  });
});

describe('in the end', () => {
  let all: Map<string, Workbench>;
  beforeAll(async () => {
    const { items } = await ground.admin.call<{ items: Workbench[] }>('GET', collectionPath('Workbench', NAMESPACE));
    all = new Map(items.map((workbench) => [workbench.metadata.name, workbench]));
  });
  const ownerOf = (pod: Pod) => all.get(controllerOf(pod)!.name)!;
  const image = (asked: string) =>
    /^registry\.example\/(lab:latest|lab@sha256:e{64}|team\/a(:v[12])?(@sha256:a{64})?|tagged:v1)$/.test(asked);
  const claim = (mounted: string, pod: Pod) => mounted === claimName(ownerOf(pod));
  const asked = () => ground.cluster.audit(CONTROLLER_USER);
  const ownersOf = async (user: string) =>
    (await client(ground.installation.rest, user).call('GET')).body.items!.map((item) => item.user_id);

  test('every Pod that was ever made is restricted, runs an allowed image, and mounts its own claim at most', async () => {
    const made = (await asked()).filter((call) => `${call.verb} ${call.resource} ${call.code}` === 'create pods 201');
    const pods = ground.pods.pods();
    expect(pods.length).toBe(made.length);
    expect(pods.length).toBeGreaterThan(150);
    expect(pods.filter(({ spec }) => spec!.volumes![0]!.persistentVolumeClaim).length).toBeGreaterThan(1);
    expect(pods.flatMap((pod) => wrongWith(pod, { image, claim }))).toEqual([]);
  });

  test("what an author wrote arrives in the Pod's process to the letter, and nowhere else", async () => {
    for (const kind of ['Service', 'Ingress'] as const) {
      const children = await ground.admin.call('GET', collectionPath(kind, NAMESPACE));
      expect(JSON.stringify(children)).not.toMatch(/mallory|evil/);
    }
    for (const pod of ground.pods.pods()) {
      const { spec } = ownerOf(pod);
      for (const { name, value } of spec.env ?? []) expect(asTheProcessReads(name, pod)).toBe(value);
      expect(asTheProcessReads('WORKBENCH_OWNER', pod)).toBe(spec.owner);
      const { labels, annotations } = pod.metadata;
      expect([...Object.values(labels!), ...Object.values(annotations!)]).not.toContain(spec.owner);
    }
  });

  test('an odd name is nobody else: each has its one workbench, and alice only her own', async () => {
    for (const owner of ODD_NAMES.map((name) => name.toWellFormed())) expect(await ownersOf(owner)).toEqual([owner]);
    // With each of these one is shared.
    for (const user of ODD_NAMES.map((name) => name.toWellFormed()))
      expect(await ownersOf(`${user}!`)).toEqual(['mallory']);
    expect(await ownersOf('alice')).toEqual(['alice']);
  });

  test("others' claims are as they were, and no Secret, token or account was asked for", async () => {
    for (const metadata of CLAIMS) {
      const path = objectPath('PersistentVolumeClaim', NAMESPACE, metadata.name);
      const { labels, annotations } = (await ground.admin.call<KubeObject>('GET', path)).metadata;
      expect(labels).toEqual(metadata.labels);
      expect(annotations).toMatchObject(metadata.annotations ?? {});
    }
    const what = (await asked()).map(({ resource, subresource }) => `${resource}/${subresource}`);
    expect(what.filter((one) => /secrets|token|exec|serviceaccounts/.test(one))).toEqual([]);
  });

  test('every line of the log is one entry, no metric has a name in it, and nothing has gone wrong', async () => {
    const log = ground.installation.log();
    expect(log.filter(({ level }) => typeof level !== 'string' || ['error', 'fatal'].includes(level))).toEqual([]);
    expect((await scrape(ground.installation.health)).text).not.toMatch(/mallory|evil|__proto__/);
  });
});
