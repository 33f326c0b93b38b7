/** Every plan: whatever befalls the controller, its requests and its watches, what comes of it is what comes of an undisturbed run. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { STAGES, openFaults, recoveries } from './faults.ts';
import type { Faults, Result } from './faults.ts';
import { plans } from './plans.ts';
import { leftBy, writesIn, writesOf } from './reference.ts';
import { SCENARIOS } from './scenarios.ts';
import type { ScenarioName } from './scenarios.ts';

let faults: Faults;
let results: Promise<Result>[] = [];

beforeAll(async () => {
  faults = await openFaults(STAGES);
  // All at once, as far as there are stages; each test waits for its own.
  results = faults.play(plans);
});

afterAll(async () => {
  process.stderr.write(recoveries(await Promise.all(results)));
  await faults?.end();
});

test('each plan has a name of its own', () => {
  expect(new Set(plans.map(({ id }) => id)).size).toBe(plans.length);
});

describe('an undisturbed run makes the writes that the plans are made from, breaks no invariant, and leaves what it should', () => {
  test.each(Object.keys(SCENARIOS) as ScenarioName[])('%s', async (name) => {
    const { outcome, record } = await faults.reference(name);
    expect(writesIn(record, SCENARIOS[name])).toEqual(writesOf(SCENARIOS[name]));
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
    // The first may wait for all that were begun before it.
    1_800_000,
  );
});
