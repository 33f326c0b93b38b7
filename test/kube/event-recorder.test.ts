import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { errorFromAnswer, errorFromNetwork } from '../../src/kube/errors.ts';
import { EventRecorder } from '../../src/kube/event-recorder.ts';
import type { CallOptions, Transport } from '../../src/kube/transport.ts';
import type { News } from '../../src/workbench/events.ts';
import { workbench } from '../workbench/sample.ts';

let steady = 0;
beforeEach(() => {
  steady = 1_000;
  jest.spyOn(performance, 'now').mockImplementation(() => steady);
});

const running = (note = 'Running.'): News => ({ type: 'Normal', reason: 'Running', note });
const failed = (note = 'Refused.'): News => ({ type: 'Warning', reason: 'Failed', note });

interface Sent {
  method: string;
  path: string;
  body: { metadata: { name: string }; note: string; series: { count: number } };
}

/** A recorder, and what it has sent; each call ends as `answer` says. */
function recorder(perSecond: number, answer: (call: number) => Error | undefined = () => undefined) {
  const sent: Sent[] = [];
  const problems: unknown[] = [];
  const transport = {
    call: async (method: string, path: string, { body }: CallOptions) => {
      sent.push({ method, path, body } as Sent);
      const error = answer(sent.length);
      if (error) throw error;
    },
  } as unknown as Transport;
  const options = { transport, namespace: 'workbenches', instance: 'replica-a', perSecond };
  const it = new EventRecorder({ ...options, onProblem: (error) => problems.push(error) });
  const tell = (news: News) => it.record(workbench(), [news]);
  /** Everything that was told is sent, unless it was left out. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { it, tell, sent, problems, settled };
}

describe('the budget', () => {
  test('is ten seconds of its rate at once, a fifth of it for warnings alone, and fills up again', async () => {
    const { it, tell, sent, settled } = recorder(5);
    for (let i = 0; i < 100; i += 1) tell(running(`${i}`));
    await settled();
    expect(sent.length).toBe(40);
    for (let i = 0; i < 100; i += 1) tell(failed(`${i}`));
    await settled();
    expect(sent.length).toBe(50);
    expect(it.counts).toEqual({ written: 50, dropped: 150, failed: 0 });
    steady += 3_000;
    for (let i = 100; i < 200; i += 1) tell(failed(`${i}`));
    await settled();
    expect(sent.length).toBe(65);
    steady += 3_600_000;
    for (let i = 200; i < 300; i += 1) tell(failed(`${i}`));
    await settled();
    expect(sent.length).toBe(115);
  });

  test('of less than one in ten seconds still lets one through', async () => {
    const { tell, sent, settled } = recorder(0.01);
    tell(running());
    await settled();
    expect(sent.length).toBe(1);
  });

  test('of 0 is none at all', async () => {
    const { it, tell, sent, settled } = recorder(0);
    tell(failed());
    await settled();
    expect([sent, it.counts]).toEqual([[], { written: 0, dropped: 0, failed: 0 }]);
  });

  test('is no queue without an end while the API server hangs', () => {
    const { it, tell, sent } = recorder(1, () => undefined);
    for (let i = 0; i < 1_000; i += 1) {
      steady += 1_000;
      tell(failed(`${i}`));
    }
    // The first is under way, and ten wait.
    expect([sent.length, it.counts.dropped]).toEqual([1, 1_000 - 11]);
  });
});

describe('what happens again', () => {
  test('is counted on the event that is there, at ever longer steps', async () => {
    const { tell, sent, settled } = recorder(5);
    for (let i = 0; i < 100; i += 1) tell(failed());
    await settled();
    const [first, ...series] = sent;
    expect([first!.method, first!.path]).toEqual(['POST', '/apis/events.k8s.io/v1/namespaces/workbenches/events']);
    expect(new Set(series.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set([`PATCH ${first!.path}/${first!.body.metadata.name}`]),
    );
    expect(series.map(({ body }) => body.series.count)).toEqual([2, 4, 8, 16, 32, 64]);
  });

  test('and has not been written for a minute is written', async () => {
    const { tell, sent, settled } = recorder(5);
    for (let i = 0; i < 7; i += 1) {
      tell(failed());
      steady += 61_000;
    }
    await settled();
    expect(sent.slice(1).map(({ body }) => body.series.count)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test('after ten minutes, of another workbench or run, or in other words is another event', async () => {
    const { it, tell, sent, settled } = recorder(5);
    tell(failed());
    tell(failed('Other words.'));
    const other = workbench();
    it.record({ ...other, metadata: { ...other.metadata, uid: 'uid-2' } }, [failed()]);
    it.record(workbench({ run: '2' }), [failed()]);
    steady += 601_000;
    tell(failed());
    await settled();
    expect(sent.map(({ method }) => method)).toEqual(Array(5).fill('POST'));
  });

  test('begins anew when its event is not there any more', async () => {
    const { tell, sent, settled } = recorder(5, (call) => (call === 2 ? errorFromAnswer(404, {}) : undefined));
    for (let i = 0; i < 3; i += 1) tell(failed());
    await settled();
    tell(failed());
    await settled();
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST']);
  });
});

describe('a write', () => {
  test('whose answer was lost is sent once more under the same name, and one that is there counts as written', async () => {
    const answers = [errorFromNetwork(new Error('reset')), errorFromAnswer(409, { reason: 'AlreadyExists' })];
    const { it, tell, sent, settled } = recorder(5, (call) => answers[call - 1]);
    tell(running());
    await settled();
    expect(sent.map(({ body }) => body.metadata.name)).toEqual(Array(2).fill(sent[0]!.body.metadata.name));
    expect(it.counts).toEqual({ written: 1, dropped: 0, failed: 0 });
  });

  test('that fails is told to the log and to nobody else, and the next goes on', async () => {
    const { it, tell, problems, settled } = recorder(5, (call) => (call === 1 ? errorFromAnswer(403, {}) : undefined));
    tell(running('one'));
    tell(running('two'));
    await settled();
    expect([it.counts, problems.length]).toEqual([{ written: 1, dropped: 0, failed: 1 }, 1]);
  });

  test('that warns overtakes those that do not', async () => {
    const { tell, sent, settled } = recorder(5);
    for (const news of [running('one'), running('two'), failed('three')]) tell(news);
    await settled();
    expect(sent.map(({ body }) => body.note)).toEqual(['one', 'three', 'two']);
  });

  test('that waits is left out when another replica acts', async () => {
    const { it, tell, sent } = recorder(5);
    for (let i = 0; i < 5; i += 1) tell(running(`${i}`));
    await it.stop();
    expect([sent.length, it.counts]).toEqual([1, { written: 1, dropped: 4, failed: 0 }]);
  });

  test('that was left out is an event of its own when it is told again', async () => {
    const { it, tell, sent, settled } = recorder(5);
    for (const note of ['one', 'two']) tell(running(note));
    await it.stop();
    for (const note of ['one', 'two']) tell(running(note));
    await settled();
    expect(sent.map(({ method, body }) => [method, body.note ?? body.series.count])).toEqual([
      ['POST', 'one'],
      ['PATCH', 2],
      ['POST', 'two'],
    ]);
  });
});

test('the names of events are in the order of what happened', async () => {
  const { it, sent, settled } = recorder(5);
  it.record(workbench(), [running('one'), running('two'), running('three')]);
  await settled();
  const names = sent.map(({ body }) => body.metadata.name);
  expect(names).toEqual(names.toSorted());
  expect(new Set(names).size).toBe(3);
});
