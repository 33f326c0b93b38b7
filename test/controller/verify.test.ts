import { EventEmitter, once } from 'node:events';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { Verifier, mismatch } from '../../src/controller/verify.ts';
import type { Answer } from '../../src/controller/verify.ts';
import type { Settings } from '../../src/workbench/settings.ts';
import { readyPod, settings, workbench } from '../workbench/sample.ts';

const said = (status: number, more: Partial<Answer> = {}): Answer => ({
  status,
  isStatePage: false,
  server: 'traefik',
  ...more,
});
const refused = new Error('connect ECONNREFUSED');

describe('whether two answers to one path come from one place', () => {
  test.each<[what: string, fromPublic: Answer | Error, fromPod: Answer | Error, problem: RegExp | undefined]>([
    ['the same page', said(200), said(200), undefined],
    ['the same redirect', said(302), said(302), undefined],
    ['a Pod that wants a password', said(401), said(401), undefined],
    ['a Pod that knows no such path, and says so both times', said(404), said(404), undefined],
    ['a Pod that is broken, and says so both times', said(500), said(500), undefined],
    ['no route yet', said(404), said(200), /^the public address answers 404 by traefik, the Pod itself 200$/],
    ['a server without a name', said(404, { server: undefined }), said(200), /404 by an unnamed server/],
    ['a login in between', said(302), said(200), /answers 302 by traefik/],
    ['no endpoint yet', said(503), said(200), /answers 503 by traefik$/],
    ['502, though the Pod says the same', said(502), said(502), /answers 502/],
    ['504, though the Pod says the same', said(504), said(504), /answers 504/],
    [
      "this controller's own page",
      said(503, { isStatePage: true }),
      said(200),
      /still shows this controller's own page/,
    ],
    ['its own page, by chance with the same status', said(200, { isStatePage: true }), said(200), /own page/],
    ['no public answer', refused, said(200), /^the public address does not answer \(connect ECONNREFUSED\)$/],
    ['no answer of the Pod', said(200), refused, /^the Pod itself does not answer \(connect ECONNREFUSED\)$/],
    ['no answer at all', refused, refused, /^the Pod itself does not answer/],
  ])('%s', (_what, fromPublic, fromPod, problem) => {
    const found = mismatch(fromPublic, fromPod);
    if (problem) expect(found).toMatch(problem);
    else expect(found).toBeUndefined();
  });
});

// The next file of this worker has a nock of its own.
afterAll(() => nock.restore());

describe('a verifier', () => {
  const PATH = '/project/genome';
  const pod = readyPod(workbench());
  const cloud = () => nock('https://cloud.example');
  /** nock tells hosts apart by the Host header, and the Pod is asked under the public name. */
  const inPod = () => nock('http://cloud.example:8888').persist();
  let strangers: string[] = [];
  let verifier: Verifier;
  let told: EventEmitter;

  /** A verifier at work, and what it says next. */
  function ask(more: Partial<Settings> = {}, count = 1, steadyMs = 0) {
    verifier = new Verifier({
      settings: { ...settings, ...more },
      count,
      onChange: (key) => told.emit(key, verifier.reach(key)),
    });
    const next = async (key = 'genome') => ((await once(told, key)) as unknown[])[0];
    const first = next();
    verifier.ask('genome', pod, steadyMs);
    return { first, next };
  }

  const noteStranger = (request: Request) => strangers.push(request.url);
  beforeEach(() => {
    nock.disableNetConnect();
    nock.emitter.on('no match', noteStranger);
    strangers = [];
    told = new EventEmitter();
  });
  afterEach(async () => {
    await verifier.stop();
    nock.emitter.off('no match', noteStranger);
    nock.cleanAll();
    nock.enableNetConnect();
    expect(strangers).toEqual([]);
  });

  test('goes on asking until the route is there, and then says so once', async () => {
    inPod().get(PATH).reply(200);
    cloud().get(PATH).times(2).reply(404).get(PATH).reply(200);
    const { first } = ask();
    expect(await first).toEqual({ podUID: pod.metadata.uid, ok: true });
    expect(nock.pendingMocks().filter((mock) => mock.includes('cloud.example'))).toEqual([]);
  });

  test('is not deceived by the state page', async () => {
    inPod().get(PATH).reply(200);
    cloud().get(PATH).reply(200, 'soon', { 'Workbench-Status': 'starting' });
    const { first } = ask({ verifyTimeoutMs: 0 });
    expect(await first).toMatchObject({ ok: false, problem: expect.stringContaining("controller's own page") });
  });

  test('says after the timeout what it saw: the status, and which server said it', async () => {
    inPod().get(PATH).reply(200);
    cloud().get(PATH).reply(404, 'no', { Server: 'nginx/1.27' });
    const { first } = ask({ verifyTimeoutMs: 0 });
    expect(await first).toEqual({
      podUID: pod.metadata.uid,
      ok: false,
      problem:
        'https://cloud.example/project/genome does not lead to the workbench: the public address answers 404 by nginx/1.27, the Pod itself 200.',
    });
  });

  test('follows no redirect, of the Pod or of the public address', async () => {
    const away = { Location: 'https://elsewhere.example/login' };
    inPod().get(PATH).reply(302, '', away);
    cloud().get(PATH).reply(302, '', away);
    expect(await ask().first).toMatchObject({ ok: true });
  });

  test('wants WB_VERIFY_COUNT matches in a row: a miss begins the count anew', async () => {
    inPod().get(PATH).reply(200);
    const answers = [200, 200, 404, 200, 200, 200];
    const asked: number[] = [];
    cloud()
      .persist()
      .get(PATH)
      .reply(() => [asked[asked.push(answers.shift() ?? 418) - 1]!]);
    expect(await ask({}, 3).first).toMatchObject({ ok: true });
    expect(asked).toEqual([200, 200, 404, 200, 200, 200]);
  });

  test('after an absence, believes an answer only when it has lasted: a miss begins the time anew', async () => {
    inPod().get(PATH).reply(200);
    const answers = [200, 404, 200];
    const asked: [status: number, at: number][] = [];
    cloud()
      .persist()
      .get(PATH)
      .reply(() => {
        asked.push([answers[asked.length] ?? 200, performance.now()]);
        return [asked.at(-1)![0]];
      });
    expect(await ask({}, 1, 200).first).toMatchObject({ ok: true });
    expect(asked.slice(0, 3).map(([status]) => status)).toEqual([200, 404, 200]);
    expect(performance.now() - asked[2]![1]).toBeGreaterThanOrEqual(200);
  });

  test('asks only the Pod where the check is private', async () => {
    nock('http://cloud.example:8888').get(PATH).replyWithError('ECONNREFUSED').get(PATH).reply(404);
    expect(await ask({ verify: 'private' }).first).toMatchObject({ ok: true });
  });

  test('names the Pod, not an address, when a private check fails', async () => {
    inPod().get(PATH).replyWithError('ECONNREFUSED');
    expect(await ask({ verify: 'private', verifyTimeoutMs: 0 }).first).toMatchObject({
      problem: 'The Pod does not lead to the workbench: the Pod itself does not answer (ECONNREFUSED).',
    });
  });

  test.each([
    ['10.244.0.7', 'http://10.244.0.7:8888'],
    ['fd00::7', 'http://[fd00::7]:8888'],
  ])('reaches a Pod at %s where no public name is known', async (podIP, origin) => {
    nock(origin).get(PATH).reply(200);
    const { baseUrl: _, ...nameless } = settings;
    verifier = new Verifier({
      settings: { ...nameless, verify: 'private' },
      count: 1,
      onChange: (key) => told.emit(key),
    });
    verifier.ask('genome', { ...pod, status: { ...pod.status, podIP } });
    await once(told, 'genome');
    expect(verifier.reach('genome')).toMatchObject({ ok: true });
  });

  test('that is told to forget says nothing more, even when the answer comes', async () => {
    const [begun, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<[number]>()];
    inPod()
      .get(PATH)
      .reply(() => (begun.resolve(), answer.promise));
    ask({ verifyTimeoutMs: 0 });
    told.on('genome', (reach) => strangers.push(`told ${JSON.stringify(reach)}`));
    await begun.promise;
    verifier.forget('genome');
    answer.resolve([200]);
    // A question that is asked later and answered proves that the first one had its chance.
    inPod().get('/project/other').reply(404);
    cloud().get('/project/other').reply(404);
    const other = once(told, 'other');
    verifier.ask('other', pod);
    await other;
    expect(verifier.reach('genome')).toBeUndefined();
  });

  test('asks once for one Pod, and anew for the next Pod', async () => {
    inPod().get(PATH).reply(200);
    cloud().get(PATH).reply(200);
    const { first, next } = ask();
    verifier.ask('genome', pod);
    await first;
    verifier.ask('genome', pod);
    const again = next();
    cloud().get(PATH).reply(200);
    verifier.ask('genome', { ...pod, metadata: { ...pod.metadata, uid: 'the-next' } });
    expect(verifier.reach('genome')).toBeUndefined();
    expect(await again).toEqual({ podUID: 'the-next', ok: true });
  });
});
