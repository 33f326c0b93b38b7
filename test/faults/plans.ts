/** Plans: which faults are tried at which moments of which scenario. All are made from the scenarios' traces, so none is random. */
import { isDeepStrictEqual } from 'node:util';
import type { Verb } from './calls.ts';
import type { Action, EventType, Match, Rule } from './rules.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario, ScenarioName } from './scenarios.ts';

/** The settings that the controller runs with: others than usual where a plan waits for a silence or for the next list. */
export type Pace = 'usual' | 'impatient' | 'relisting' | 'short-lease';

export interface Plan {
  /** Names it for ever: "stop:crash-after@2". */
  id: string;
  /** For people: "stop: killed after the 2nd write (delete pods)". */
  title: string;
  scenario: ScenarioName;
  rules: readonly Rule[];
  pace: Pace;
  /** What it does to a stream or to the process befalls whoever is on the stage. */
  isAlone: boolean;
  /** What the fault itself takes, beyond the time in which all must converge. Default 0. */
  withinMs?: number;
}

/** A fault at one write or event, and what it leads to. */
interface Fault {
  id: string;
  /** Before "the 2nd write". */
  text: string;
  action: Action;
  times?: number;
  /** What befalls the controller next, once this is done. */
  next?: (resource: string) => Rule[];
  pace?: Pace;
  isAlone?: boolean;
  withinMs?: number;
}

/** A place for a fault. */
interface Moment {
  id: string;
  text: string;
  on: Match;
  nth: number;
}

/**
 * By then the reference's end must be there (invariant I5), beyond what a fault itself takes. The longest backoff is 30 s; a
 * machine on which all tests run at once is slow.
 */
export const CONVERGES_WITHIN_MS = 120_000;

const names = Object.keys(SCENARIOS) as ScenarioName[];
const BEFORE_AND_AFTER = ['before', 'after'] as const;

function writesOf(scenario: ScenarioName): Moment[] {
  return SCENARIOS[scenario].writes.map((write, index, all) => {
    const [verb, path] = write.split(' ') as [Verb, string];
    const [resource, subresource] = path.split('/') as [string, string?];
    return {
      id: `@${index + 1}`,
      text: `the ${ordinal(index + 1)} write (${write})`,
      on: { verb, resource, ...(subresource === undefined ? {} : { subresource }) },
      nth: nthOfItsKind(all, index),
    };
  });
}

/** Without what REST writes: what is refused there is for the person to hear. */
function ownWritesOf(scenario: ScenarioName): Moment[] {
  return writesOf(scenario).filter(({ on: { resource, subresource } }) => resource !== 'workbenches' || subresource);
}

function eventsOf(scenario: ScenarioName): Moment[] {
  const { events }: Scenario = SCENARIOS[scenario];
  return events.map((told, index) => {
    const [event, resource] = told.split(' ') as [EventType, string];
    const nth = nthOfItsKind(events, index);
    return {
      id: `~${resource}-${event.toLowerCase()}${nth > 1 ? `-${nth}` : ''}`,
      text: `${nth > 1 ? `the ${ordinal(nth)} ` : ''}${event} of ${resource}`,
      on: { verb: 'watch', resource, event },
      nth,
    };
  });
}

function nthOfItsKind(all: readonly string[], index: number): number {
  return all.slice(0, index + 1).filter((other) => other === all[index]).length;
}

function ordinal(number: number): string {
  return `${number}${['', 'st', 'nd', 'rd'][number] ?? 'th'}`;
}

function planOf(scenario: ScenarioName, ...faults: [moment: Moment, fault: Fault][]): Plan {
  const withinMs = faults.reduce((sum, [, fault]) => sum + (fault.withinMs ?? 0), 0);
  return {
    id: `${scenario}:${faults.map(([moment, fault]) => fault.id + moment.id).join('+')}`,
    title: `${scenario}: ${faults.map(([moment, fault]) => `${fault.text} ${moment.text}`).join(', then ')}`,
    scenario,
    rules: faults.flatMap(([{ on, nth }, { action, times = 1, next }]) => [
      { on, nth, times, action },
      ...(next?.(on.resource) ?? []),
    ]),
    pace: faults.find(([, { pace }]) => pace)?.[1].pace ?? 'usual',
    isAlone: faults.some(([, { isAlone }]) => isAlone),
    ...(withinMs > 0 ? { withinMs } : {}),
  };
}

function each(scenarios: readonly ScenarioName[], moments: (name: ScenarioName) => Moment[], faults: readonly Fault[]) {
  return scenarios.flatMap((scenario) =>
    moments(scenario).flatMap((moment) => faults.map((fault) => planOf(scenario, [moment, fault]))),
  );
}

const CRASHES: readonly Fault[] = BEFORE_AND_AFTER.map((when) => ({
  id: `crash-${when}`,
  text: `killed ${when}`,
  action: { do: 'crash', when },
}));

/** Killed again at every write that is still to come: one that was prevented is tried again, one that was done is not. */
function pairs(): Plan[] {
  return (['create', 'stop', 'start', 'delete', 'resize'] as const).flatMap((scenario) => {
    const writes = writesOf(scenario);
    return writes.flatMap((first, index) =>
      CRASHES.flatMap((fault) =>
        writes
          .slice(fault.id === 'crash-before' ? index : index + 1)
          .flatMap((second) =>
            CRASHES.map((another) => planOf(scenario, [first, fault], [after(first, second, writes), another])),
          ),
      ),
    );
  });
}

/** What came up to the first write is over when the second rule begins to count; the first itself may come again. */
function after(first: Moment, second: Moment, writes: readonly Moment[]): Moment {
  const between = writes.slice(writes.indexOf(first) + 1, writes.indexOf(second) + 1);
  return { ...second, nth: Math.max(between.filter(({ on }) => isDeepStrictEqual(on, second.on)).length, 1) };
}

function status(code: number, times = 1): Fault {
  return {
    id: times === 1 ? String(code) : `${code}x${times}`,
    text: `${code} ${times === 1 ? 'at' : `${times} times at`}`,
    action: { do: 'status', code, ...(code === 429 ? { retryAfterS: 1 } : {}) },
    times,
  };
}

/** What a network and a busy API server do to one write, or to one and its next attempts. */
const TROUBLES: readonly Fault[] = [
  ...BEFORE_AND_AFTER.map((when): Fault => ({
    id: `drop-${when}`,
    text: `connection reset ${when}`,
    action: { do: 'drop', when },
  })),
  ...[409, 429, 500, 503].map((code) => status(code)),
  status(503, 3),
  // The watch then tells of the write before its own answer does.
  { id: 'late', text: 'a late answer to', action: { do: 'delay', when: 'after', ms: 400 } },
];

/** Of each kind one: prevented, done unheard, refused for a while, late. */
const TROUBLES_OF_OTHERS = TROUBLES.filter(({ id }) => ['drop-before', 'drop-after', '503x3', 'late'].includes(id));

const MORE_TROUBLES: readonly Fault[] = [
  ...[501, 502, 504].map((code) => status(code)),
  ...[409, 500, 504].map((code) => status(code, 3)),
  { id: 'truncate', text: 'half an answer to', action: { do: 'truncate' } },
  { id: 'slow', text: 'a late passing-on of', action: { do: 'delay', when: 'before', ms: 400 } },
];

/** What takes the API server, or the process, away for a while. */
const OUTAGES: readonly Fault[] = [
  { id: 'ended', text: 'SIGTERM at', action: { do: 'end' }, isAlone: true },
  { id: 'outage', text: 'the API server away for 3 s at', action: { do: 'outage', ms: 3_000 }, isAlone: true },
  { id: 'stopped', text: 'the process stopped for 2 s at', action: { do: 'stop', ms: 2_000 }, isAlone: true },
];

/** What costs the controller its Lease: it may write only when it has it again. */
const LEASES: readonly Fault[] = [
  {
    id: 'stopped-past-lease',
    text: 'the process stopped until its lease has run out at',
    action: { do: 'stop', ms: 4_000 },
    pace: 'short-lease',
    isAlone: true,
  },
  {
    id: 'renewals-500',
    text: '429 for 3 s, and meanwhile 500 to the renewals of the lease, at',
    action: { do: 'status', code: 429, retryAfterS: 3 },
    next: () => [{ on: { verb: 'update', resource: 'leases' }, times: 6, action: { do: 'status', code: 500 } }],
    pace: 'short-lease',
    isAlone: true,
  },
];

/** Longer than the controller waits for any answer (15 s). */
const NEVER: Fault = {
  id: 'too-late',
  text: 'an answer 16 s later to',
  action: { do: 'delay', when: 'after', ms: 16_000 },
  withinMs: 16_000,
};

/** What a broken watch cache tells of one event: nothing, twice, or too late. What is not told is found by the next list only. */
const EVENT_FAULTS: readonly Fault[] = [
  {
    id: 'swallow',
    text: 'nothing told of',
    action: { do: 'swallow', endMs: 1_200 },
    pace: 'relisting',
    isAlone: true,
  },
  { id: 'duplicate', text: 'told twice of', action: { do: 'duplicate' } },
  { id: 'reorder', text: 'told too late of', action: { do: 'reorder' } },
];

const opening = (resource: string, action: Action, times = 1): Rule[] => [
  { on: { verb: 'watch', resource }, times, action },
];
const listing = (resource: string, action: Action, times = 1): Rule[] => [
  { on: { verb: 'list', resource }, times, action },
];

/** What befalls a whole watch at the moment of one event. */
const STREAM_FAULTS: readonly Fault[] = (
  [
    { id: 'cut-before', text: 'the watch reset before', action: { do: 'drop', when: 'before' } },
    { id: 'cut-after', text: 'the watch reset after', action: { do: 'drop', when: 'after' } },
    { id: 'close', text: 'the watch closed before', action: { do: 'close' } },
    { id: 'half', text: 'the watch cut in the line of', action: { do: 'truncate' } },
    { id: 'gone', text: '410 in the watch instead of', action: { do: 'status', code: 410 } },
    { id: 'error', text: '500 in the watch instead of', action: { do: 'status', code: 500 } },
    { id: 'lag', text: 'a watch that lags 600 ms from', action: { do: 'delay', when: 'before', ms: 600 } },
    { id: 'silent', text: 'a watch that is silent from', action: { do: 'freeze' }, pace: 'impatient', withinMs: 3_000 },
    {
      id: 'cut-gone',
      text: 'the watch reset, and 410 when it is opened again, at',
      action: { do: 'drop', when: 'before' },
      next: (resource) => opening(resource, { do: 'status', code: 410 }),
    },
    {
      id: 'gone-list-500',
      text: '410 in the watch, and 500 to two lists, at',
      action: { do: 'status', code: 410 },
      next: (resource) => listing(resource, { do: 'status', code: 500 }, 2),
    },
    {
      id: 'gone-list-half',
      text: '410 in the watch, and half a list, at',
      action: { do: 'status', code: 410 },
      next: (resource) => listing(resource, { do: 'truncate' }),
    },
  ] satisfies Fault[]
).map((fault) => ({ ...fault, isAlone: true }));

/** What a controller that has just been killed meets when it comes back. */
const RETURNS: readonly Fault[] = [
  ['list-500', 'a list answered 500', (resource: string) => listing(resource, { do: 'status', code: 500 })],
  ['list-cut', 'a list cut', (resource: string) => listing(resource, { do: 'drop', when: 'after' })],
  ['list-half', 'half a list', (resource: string) => listing(resource, { do: 'truncate' })],
  ['watch-gone', 'a watch answered 410', (resource: string) => opening(resource, { do: 'status', code: 410 })],
  ['watch-500', 'a watch answered 500', (resource: string) => opening(resource, { do: 'status', code: 500 })],
].flatMap(([id, text, rules]) =>
  ['workbenches', 'pods', 'services', 'ingresses'].map((resource) => ({
    id: `crash-${id as string}-${resource}`,
    text: `killed, and then ${text as string} of ${resource}, after`,
    action: { do: 'crash', when: 'after' } as const,
    next: () => (rules as (resource: string) => Rule[])(resource),
    isAlone: true,
  })),
);

const last = (moments: (name: ScenarioName) => Moment[]) => (name: ScenarioName) => moments(name).slice(-1);
const people: readonly ScenarioName[] = ['create', 'stop', 'start', 'delete'];
const others = names.filter((name) => name !== 'resize' && !people.includes(name));

/** Longer than a Lease, and than every backoff but the longest. */
const minute: Plan = planOf('create', [
  writesOf('create')[1]!,
  {
    ...OUTAGES.find(({ id }) => id === 'outage')!,
    id: 'outage-minute',
    text: 'the API server away for 60 s at',
    action: { do: 'outage', ms: 60_000 },
    withinMs: 90_000,
  },
]);

/** The silence of a watch with the setting that the product has. */
const real: Plan = {
  ...planOf('create', [
    eventsOf('create')[3]!,
    { ...STREAM_FAULTS.find(({ id }) => id === 'silent')!, id: 'silent-really' },
  ]),
  pace: 'usual',
  withinMs: 90_000,
};

/** The slow ones first, so that nobody waits for them alone. */
export const plans: readonly Plan[] = [
  real,
  minute,
  ...each(['create', 'stop', 'start'], writesOf, [NEVER]),
  ...each(names, writesOf, CRASHES),
  ...pairs(),
  ...each(names, eventsOf, CRASHES),
  ...each([...people, 'resize'], writesOf, TROUBLES),
  ...each(others, writesOf, TROUBLES_OF_OTHERS),
  ...each(people, writesOf, MORE_TROUBLES),
  ...each(names, ownWritesOf, [status(403)]),
  ...each(names, eventsOf, EVENT_FAULTS),
  ...each(people, eventsOf, STREAM_FAULTS),
  ...each(['recreated'], eventsOf, STREAM_FAULTS),
  ...each(['run-edited', 'pod-deleted'], last(eventsOf), STREAM_FAULTS),
  ...each(people, writesOf, OUTAGES),
  ...each(['create', 'stop', 'start'], ownWritesOf, LEASES),
  ...each(['create', 'stop'], last(writesOf), RETURNS),
];
