/**
 * Every start state, played over the pure core until nothing happens any more: first while what is going is held, then when it
 * lets go, then when strangers have gone. It must converge, or fail closed; and what it comes to must be what a workbench that
 * is new comes to.
 */
import { describe, expect, test } from '@jest/globals';
import { controllerOf } from '../../src/workbench/identity.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';
import { isReady } from '../../src/workbench/phase.ts';
import { buildPod } from '../../src/workbench/pod.ts';
import type { ChildKind } from '../../src/workbench/steps.ts';
import { OTHERS_FINALIZER, begin } from './begin.ts';
import type { Begun } from './begin.ts';
import { differences, endOf } from './end.ts';
import type { End } from './end.ts';
import { Operator } from './operator.ts';
import { NOW, settings, workbench } from './sample.ts';
import { STATUSES, WISHES, claimStates, startStates } from './start-states.ts';
import type { StartState } from './start-states.ts';
import type { World } from './world.ts';

const NAME = 'genome';
const UID = 'uid-1';
const KINDS: ChildKind[] = ['Pod', 'Service', 'Ingress', 'PersistentVolumeClaim'];

interface Played extends Begun {
  operator: Operator;
}

function build(state: StartState): Played {
  const { metadata, spec } = workbench(state.wish.spec);
  const installation = { ...settings, ...(state.storage ? { storage: state.storage } : {}) };
  const begun = begin(state, { metadata: { ...metadata, generation: 1 }, spec }, installation, NOW);
  return { ...begun, operator: new Operator(begun.world, installation, NAME) };
}

const isIn = (world: World, kind: ChildKind, object: KubeObject) => world.list(kind).includes(object as never);
const isOurs = (object: KubeObject) => controllerOf(object)?.uid === UID;
const ours = (world: World, kinds = KINDS) => kinds.flatMap((kind) => world.list(kind).filter(isOurs));
const names = (objects: KubeObject[]) => objects.map(({ metadata }) => metadata.name);

const fresh = new Map<string, End>();
/** What a workbench that is new comes to under this wish. */
function freshEnd({ wish, storage }: Pick<StartState, 'wish' | 'storage'>): End {
  const key = JSON.stringify([wish, storage]);
  const known = fresh.get(key);
  if (known) return known;
  const { world, operator } = build({
    id: '',
    wish,
    children: () => [],
    status: () => undefined,
    ...(storage ? { storage } : {}),
  });
  operator.settle();
  fresh.set(key, endOf(world, NAME));
  return endOf(world, NAME);
}

/** What must be so whenever it has come to rest. */
function* unrest({ world, operator, foreign }: Played): Generator<string> {
  yield* operator.violations;
  // Its caches are in step, so nothing that it tries can be refused.
  yield* operator.writes.flatMap(({ step, answer }) => (answer === 'done' ? [] : `${step.do} ${step.kind}: ${answer}`));
  const touched = foreign.filter((object) => !KINDS.some((kind) => isIn(world, kind, object)));
  yield* names(touched).map((name) => `${name} is somebody else's and was touched`);
  const status = world.get('Workbench', NAME)?.status;
  const left = status?.phase === 'Stopped' ? ours(world, ['Pod', 'Ingress']) : [];
  yield* names(left).map((name) => `Stopped with ${name}`);
  const pod = world.list('Pod').find(({ metadata }) => metadata.uid === status?.podUID);
  if (status?.phase === 'Running' && !(pod && isReady(pod) && isOurs(pod))) yield 'Running without a Pod';
}

/** What must have come of it once nothing is held any more. */
function* wrongEnd(state: StartState, { world, operator, foreign }: Played): Generator<string> {
  const { wish } = state;
  const { status } = world.get('Workbench', NAME) ?? {};
  const isOthersWork = wish.deletion === 'orphan' || wish.deletion === 'over';
  if (isOthersWork && operator.writes.length > 0) yield 'writes to what is not its own any more';
  if (wish.deletion === 'held') {
    if (status?.phase !== 'Stopping' || ours(world, ['Pod', 'Ingress']).length > 0) yield 'goes on under deletion';
  } else if (wish.deletion) {
    if (world.get('Workbench', NAME) || ours(world).length > 0) yield `left behind: ${names(ours(world)).join()}`;
  } else if (wish.spec.state === 'Stopped') {
    if (status?.phase !== 'Stopped') yield `stopped, and says ${status?.phase}`;
  } else if (foreign.length > 0) {
    // A claim stands in the way of the next Pod, not of one that is there, and not of what is refused anyway.
    const isOnlyClaim = foreign.every((object) => isIn(world, 'PersistentVolumeClaim', object));
    const isPassedBy = isOnlyClaim && (ours(world, ['Pod']).length > 0 || wish.spec.image !== undefined);
    if (!isPassedBy && status?.reason !== 'NameConflict') yield `in conflict, and says ${status?.reason}`;
  } else yield* notAsFresh(state, world);
}

/** The Service and the files are kept by whatever has had them. */
function* notAsFresh(state: Pick<StartState, 'wish' | 'storage'>, world: World): Generator<string> {
  const { wish } = state;
  const wanted = freshEnd(state);
  const { Service, Claim, ...seen } = endOf(world, NAME);
  const { status } = world.get('Workbench', NAME)!;
  // A Pod that somebody works in is kept by an edit, and one that was made while its image was allowed by a refusal.
  const isKept = status?.conditions?.some(({ type }) => type === 'RestartRequired') || wish.spec.image !== undefined;
  if (isKept && status?.phase === 'Running') return;
  const kept = { ...(wanted.Service ? { Service } : {}), ...(wanted.Claim ? { Claim } : {}) };
  const differs = differences({ ...seen, ...kept }, wanted);
  if (differs.length > 0) yield `not as new: ${differs.join('; ')}`;
}

/** Plays a state to its end, act by act. @returns what was wrong */
function* play(state: StartState): Generator<string> {
  const played = build(state);
  const { world, operator, foreign } = played;
  operator.settle();
  yield* unrest(played);
  if (world.release()) {
    operator.settle();
    yield* unrest(played);
  }
  yield* wrongEnd(state, played);
  if (state.wish.deletion === 'held') {
    world.release(OTHERS_FINALIZER);
    operator.settle();
    if (ours(world).length > 0) yield `left behind: ${names(ours(world)).join()}`;
  } else if (!state.wish.deletion && state.wish.spec.state !== 'Stopped' && foreign.length > 0) {
    for (const { kind, name, uid } of foreign.map(addressOf(world))) world.delete(kind, name, uid, { force: true });
    operator.settle();
    yield* unrest({ ...played, foreign: [] });
    yield* notAsFresh(state, world);
  }
}

const addressOf = (world: World) => (object: KubeObject) => ({
  kind: KINDS.find((kind) => isIn(world, kind, object))!,
  name: object.metadata.name,
  uid: object.metadata.uid!,
});

const states = [...startStates(), ...claimStates()];

test('there are thousands of them, each of its own, and whatever is there together meets each status', () => {
  expect(new Set(states.map(({ id }) => id)).size).toBe(states.length);
  expect(states.length).toBeGreaterThan(5_000);
  const met = new Map<string, Set<string>>();
  for (const { id } of states) {
    const [, ...there] = id.split(' | ');
    const status = there.pop()!;
    met.set(there.join(), (met.get(there.join()) ?? new Set()).add(status));
  }
  expect([...met.values()].filter(({ size }) => size < Object.keys(STATUSES).length)).toEqual([]);
});

describe('each converges or fails closed, touches nothing that is not ours, and then rests for ever', () => {
  test.each(Object.keys(WISHES))('%s', (wish) => {
    const chosen = states.filter(({ id }) => id.startsWith(`${wish} |`));
    const problems = chosen.flatMap((state) => [...new Set(play(state))].map((problem) => `${state.id}: ${problem}`));
    expect(problems.slice(0, 10)).toEqual([]);
  });
});

describe('a Pod that is going, on a node that says nothing any more', () => {
  const held: StartState = {
    id: '',
    wish: WISHES.running!,
    children: (owner) => [{ kind: 'Pod', object: buildPod(owner, settings), isSilent: true }],
    status: () => undefined,
  };

  test.each([
    ['running', { phase: 'Pending', reason: 'NodeLost' }],
    ['stopped', { phase: 'Stopping', reason: 'NodeLost' }],
  ])('%s: it is waited for, and nothing is written', (wish, status) => {
    const { world, operator } = build({ ...held, wish: WISHES[wish]! });
    operator.settle();
    expect(operator).toMatchObject({ violations: [] });
    expect(operator.writes.filter(({ step }) => step.kind === 'Pod')).toEqual([]);
    expect(world.get('Workbench', NAME)!.status).toMatchObject(status);
  });

  test.each(['running', 'stopped'])('%s: it is removed by force where the admin said so, and not before', (wish) => {
    const { world } = build({ ...held, wish: WISHES[wish]! });
    const operator = new Operator(world, { ...settings, forceDeleteAfterMs: 90_000 }, NAME);
    const deadline = Date.parse(world.list('Pod')[0]!.metadata.deletionTimestamp!) + 90_000;
    operator.settle();
    expect(operator.violations).toEqual([]);
    expect(operator.writes.filter(({ step }) => 'force' in step && step.force)).toHaveLength(1);
    expect(world.now).toBeGreaterThan(deadline);
    expect([...notAsFresh({ wish: WISHES[wish]! }, world)]).toEqual([]);
  });
});
