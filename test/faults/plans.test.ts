/** Every plan: whatever befalls the controller, its requests and its watches, what comes of it is what comes of an undisturbed run. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { STAGES, openFaults, writesIn } from './faults.ts';
import type { Faults, Result } from './faults.ts';
import { plans } from './plans.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario, ScenarioName } from './scenarios.ts';

let faults: Faults;
let results: Promise<Result>[] = [];

beforeAll(async () => {
  faults = await openFaults(STAGES);
  // All at once, as far as there are stages; each test waits for its own.
  results = faults.play(plans);
}, 600_000);

afterAll(async () => {
  await Promise.all(results);
  await faults?.end();
}, 60_000);

test('each plan has a name of its own', () => {
  expect(new Set(plans.map(({ id }) => id)).size).toBe(plans.length);
});

const LEFT = { running: ['Ingress', 'Pod', 'Service', 'Workbench'], stopped: ['Service', 'Workbench'], gone: [] };

/** The kinds of what there is of a workbench after it: a volume unless it had none, or has gone with it since its class says so. */
function leftBy({ after, class: name }: Scenario): string[] {
  const hasVolume = name === 'kept' || (name === 'thrown' && after !== 'gone');
  return [...LEFT[after], ...(hasVolume ? ['PersistentVolumeClaim'] : [])].toSorted();
}

describe('an undisturbed run makes the writes that the plans are made from, breaks no invariant, and leaves what it should', () => {
  test.each(Object.keys(SCENARIOS) as ScenarioName[])('%s', async (name) => {
    const { outcome, record } = await faults.reference(name);
    expect(writesIn(record, SCENARIOS[name])).toEqual(SCENARIOS[name].writes);
    expect(outcome).toMatchObject({ violations: [], done: 0 });
    expect(outcome.end.map(({ kind }) => kind).toSorted()).toEqual(leftBy(SCENARIOS[name]));
  });
});

describe('the end is that of an undisturbed run, nothing is doubled, no invariant is broken', () => {
  test.each(plans.map(({ id, title }, index) => [`${id} — ${title}`, index] as const))(
    '%s',
    async (_, index) => {
      const { problem } = await results[index]!;
      expect(problem).toBeUndefined();
    },
    600_000,
  );
});
