/** A place where plans are played: two namespaces, a controller of its own, the proxy before it, and the observer. */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { connect } from '../../src/kube/connect.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { KINDS, collectionPath, objectPath } from '../../src/kube/kinds.ts';
import { createTransport } from '../../src/kube/transport.ts';
import { CLASS_KIND } from '../../src/workbench/class.ts';
import { API_VERSION } from '../../src/workbench/resource.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../eventually.ts';
import { install } from '../installation.ts';
import { BLIND, observe } from '../observer.ts';
import type { Seen } from '../observer.ts';
import { isWrite, textOf } from './calls.ts';
import { layDisk } from './disk.ts';
import { endState } from './end-state.ts';
import { hands } from './hands.ts';
import { Play } from './play.ts';
import type { Recorded } from './play.ts';
import { CONVERGES_WITHIN_MS } from './plans.ts';
import type { Plan, Pace } from './plans.ts';
import { portal } from './portal.ts';
import { faultProxy } from './proxy.ts';
import { isLeft, writesIn, writesOf } from './reference.ts';
import { CLASSES, SCENARIOS } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

export interface Outcome {
  /** All objects, without what differs from run to run. */
  end: Pick<Seen, 'kind'>[];
  /** What the API server has made and removed for the controller, but for routes: "create pods" → 1. */
  committed: Record<string, number>;
  violations: string[];
  /** How many rules have found their request. */
  done: number;
}

export interface Run {
  outcome: Outcome;
  record: readonly Recorded[];
  /** From the last fault until the end was there, ms; absent: nothing befell it. */
  recoveredMs?: number;
}

export type Part = Pick<Plan, 'scenario' | 'rules' | 'withinMs'> & {
  /** The end that it must come to; absent: whatever it comes to. */
  wanted?: unknown[];
};

export interface Stage {
  /** Plays all at once: where several crash, the controller dies when each has come to its moment. */
  run: (parts: readonly Part[], pace: Pace) => Promise<PromiseSettledResult<Run>[]>;
  /** The last lines of the controller's log. */
  log: () => string[];
  end: () => Promise<void>;
}

/** What the controller's log says when it begins to act, when it begins, and when it may act no more. */
const ACTING = 'acting: this replica has the lease';
const LISTENING = 'listening';
const WAITING = 'not acting: the lease is lost';
/** What must not happen any more can only be waited for. Longer than the first backoff and the hold of a stop. */
const QUIET_MS = 350;

/** Empty is unset, also after a start with others. */
const USUAL = {
  WB_WATCH_SILENCE: '',
  WB_RELIST_AFTER: '',
  WB_LEASE_DURATION: '',
  WB_LEASE_RENEW_DEADLINE: '',
  WB_LEASE_RETRY: '',
};

/** Settings of the controller: the product's own, or with times so short that a plan can wait for them. */
const PACES: Record<Pace, Record<string, string>> = {
  usual: USUAL,
  impatient: { ...USUAL, WB_WATCH_SILENCE: '3' },
  relisting: { ...USUAL, WB_RELIST_AFTER: '1' },
  'short-lease': { ...USUAL, WB_LEASE_DURATION: '3', WB_LEASE_RENEW_DEADLINE: '2', WB_LEASE_RETRY: '0.4' },
};

/** The user that the controller of a stage runs as. */
export function userOf(stage: number): string {
  return `workbench-controller-${stage}`;
}

export async function openStage(cluster: Cluster, number: number, program: string): Promise<Stage> {
  // Of this process alone, on a cluster that others may use.
  const namespace = `stage-${process.pid}-${number}`;
  const user = userOf(number);
  let pace: Pace = 'usual';
  let restarted: Promise<void> = Promise.resolve();
  let playing: Play[] = [];
  /** Plays that have come to their crash. */
  const held = new Set<Play>();
  const forbidden: string[] = [];

  function crashWhenAllAreThere(): void {
    if (held.size === 0 || playing.some((play) => !held.has(play) && play.deaths > 0)) return;
    const dying = [...held];
    held.clear();
    const dead = installation.end('SIGKILL').then(() => {
      proxy.died();
      dying.forEach((play) => play.died());
    });
    restarted = dead.then(() => installation.start());
    // One that is killed again before it is ready is none of anybody's business.
    restarted.catch(() => undefined);
  }

  const proxy = await faultProxy({
    cluster,
    user,
    namespace,
    crash(play) {
      held.add(play);
      crashWhenAllAreThere();
    },
    async stop(ms) {
      installation.process().kill('SIGSTOP');
      await delay(ms);
      installation.process().kill('SIGCONT');
    },
    end() {
      restarted = installation.end('SIGTERM').then(() => installation.start());
      restarted.catch(() => undefined);
      return restarted;
    },
    onWrite({ verb, resource, subresource, name }, hasLease) {
      // I9. The spec is the facade's, which writes on every replica.
      if (!hasLease && (resource !== 'workbenches' || subresource !== undefined))
        forbidden.push(`${name} (${resource}): its ${verb} was asked for without the Lease`);
      // I4. What its class throws away, the garbage collector does; and no scenario has a person ask for it.
      if (verb === 'delete' && resource === 'persistentvolumeclaims')
        forbidden.push(`${name} (${resource}): its deletion was asked for`);
      // I3
      if (verb !== 'create' && name !== undefined && !observer.mayWrite(resource, name))
        forbidden.push(`${name} (${resource}) belongs to nobody here, and its ${verb} was asked for`);
    },
  });
  const installation = await install(cluster, {
    namespace,
    systemNamespace: `${namespace}-system`,
    user,
    program,
    hasKind: true,
    server: proxy.url,
  });
  const observer = await observe(cluster.kubeconfig, namespace);
  const transport = createTransport(connect(cluster.kubeconfig), 'faults');
  for (const [name, spec] of Object.entries(CLASSES)) {
    const body = { apiVersion: API_VERSION, kind: CLASS_KIND, metadata: { name }, spec };
    await transport.call('POST', collectionPath('WorkbenchClass', namespace), { body });
  }
  let played = 0;
  const disks: string[] = [];

  /** @throws Error when the controller goes on writing, or could not start again */
  async function quiet(play: Play): Promise<void> {
    const writes = () => play.record.filter(isWrite).length;
    for (const deadline = performance.now() + CONVERGES_WITHIN_MS; performance.now() < deadline;) {
      await restarted;
      const [life, before] = [restarted, writes()];
      await delay(QUIET_MS);
      if (life === restarted && before === writes()) return;
    }
    throw new Error(`${[...play.ids].join()} does not come to rest: ${writes()} writes`);
  }

  /** There, and nothing more to do. If that is not reached in time, what is there instead tells. */
  async function rest(play: Play, isThere: () => boolean, moreMs: number): Promise<void> {
    const deadline = performance.now() + CONVERGES_WITHIN_MS + moreMs;
    do {
      await observer.until(isThere, Math.min(QUIET_MS, deadline - performance.now()));
      await quiet(play);
    } while (!isThere() && performance.now() < deadline);
  }

  async function playOne({ scenario: name, wanted, withinMs = 0 }: Part, play: Play): Promise<Run> {
    const scenario: Scenario = SCENARIOS[name];
    const { before, act, after, class: className } = scenario;
    const actors = {
      portal: portal(installation.rest, play.user, () => restarted.catch(() => undefined)),
      hands: hands(transport, observer, namespace, play),
    };
    let id = '';
    if (className !== undefined) disks.push(await layDisk(transport));
    if (before !== 'nothing') {
      id = await actors.portal.create(className);
      await arrive(id, 'running');
    }
    if (before === 'stopped') await arrive(await actors.portal.stop(id), 'stopped');
    const look = () => endState(observer.view(id), id, play.user);

    /** First what the cluster says, as it says it; then what REST says of it. @returns whether it was there in time (I5) */
    async function arrive(to: string, state: Scenario['after'], moreMs = 0): Promise<boolean> {
      const isInTime = await observer.until(() => {
        const { metadata, status } = observer.workbench(to) ?? {};
        if (state === 'gone') return metadata === undefined;
        return (
          status?.phase === (state === 'running' ? 'Running' : 'Stopped') &&
          status.observedGeneration === metadata?.generation &&
          // Each kind has a watch of its own.
          isLeft(observer.view(to), { ...scenario, after: state })
        );
      }, CONVERGES_WITHIN_MS + moreMs);
      await actors.portal.until(to, state);
      return isInTime;
    }

    play.begin();
    id = await act(actors, id);
    const isInTime = await arrive(id, after, withinMs);
    const recoveredMs = play.sinceFault();
    const isReference = () =>
      isLeft(observer.view(id), scenario) &&
      observer.atRest(id).length === 0 &&
      isDeepStrictEqual(writesIn(play.record, scenario), writesOf(scenario));
    const isEnd = () => (wanted === undefined ? isReference() : isDeepStrictEqual(look(), wanted));
    await rest(play, () => play.isDone && play.deaths === 0 && isEnd(), withinMs);
    const ids = [...play.ids];
    const isOfOurs = (sentence: string) => sentence === BLIND || ids.some((one) => sentence.startsWith(one));
    const late = isInTime ? [] : [`${id} was not ${after} within ${CONVERGES_WITHIN_MS + withinMs} ms`];
    return {
      record: play.record,
      ...(recoveredMs === undefined ? {} : { recoveredMs }),
      outcome: {
        end: look(),
        committed: committed(play.record),
        violations: [
          ...[...(await observer.violations()), ...forbidden].filter(isOfOurs),
          ...late,
          ...observer.atRest(id),
        ],
        done: play.script.done,
      },
    };
  }

  async function remove(id: string): Promise<void> {
    await transport.call('DELETE', objectPath('Workbench', namespace, id)).catch((error: unknown) => {
      if (!isKubeError(error, 'notFound')) throw error;
    });
  }

  /** A controller that is up, with these settings. */
  async function prepare(next: Pace): Promise<void> {
    const isUp = await restarted.then(
      () => true,
      () => false,
    );
    if (isUp && next === pace) return;
    pace = next;
    await installation.end('SIGKILL');
    proxy.died();
    restarted = installation.start(PACES[next]);
    await restarted;
  }

  const isActing = () => {
    const last = installation.log().findLast(({ msg }) => [LISTENING, ACTING, WAITING].includes(String(msg)));
    return last?.msg === ACTING;
  };

  /**
   * Once it acts and all of its watches are open: what befell the last plan's must not befall the next, and who begins to act
   * lists anew, so that what a plan keeps from a watch would be told all the same.
   */
  const watching = () =>
    eventually(
      'acting and watching',
      () => Promise.resolve({ isActing: isActing(), watched: [...proxy.watched()] }),
      (seen) => seen.isActing && seen.watched.length === Object.keys(KINDS).length,
      CONVERGES_WITHIN_MS,
    );

  return {
    async run(parts, next) {
      await prepare(next);
      await watching();
      playing = parts.map(({ rules }) => new Play(`user-${(played += 1)}`, rules));
      proxy.play(playing);
      return Promise.allSettled(
        playing.map(async (play, index) => {
          try {
            return await playOne(parts[index]!, play);
          } catch (error) {
            const there = [...play.ids].flatMap((id) => observer.view(id)).map(textOfObject);
            throw new Error([(error as Error).message, textOfRecord(play.record), ...there].join('\n'), {
              cause: error,
            });
          } finally {
            playing = playing.filter((other) => other !== play);
            play.dying?.resolve();
            held.delete(play);
            crashWhenAllAreThere();
            // What was played for is in the way of whatever is played after it: each restart would read it.
            await Promise.all([...play.ids].map(remove));
          }
        }),
      );
    },
    log: () =>
      installation
        .log()
        .slice(-15)
        .map((entry) => JSON.stringify(entry).slice(0, 300)),
    async end() {
      await observer.stop();
      await restarted.catch(() => undefined);
      await installation.end('SIGKILL');
      await proxy.close();
      // A kept cluster would keep them.
      for (const name of [namespace, `${namespace}-system`])
        await transport.call('DELETE', `/api/v1/namespaces/${name}`);
      for (const path of disks) await transport.call('DELETE', path);
      await transport.close();
    },
  };
}

/**
 * A delete may be sent again before the watch has told of it, and removes nothing more then: so it is counted by what it names.
 * Routes are not counted: one may stay through a short absence of its Pod, or go and come back, and a predecessor's goes by us
 * or by the garbage collector; that depends on who is quicker. That there is one is seen at the end.
 */
function committed(record: readonly Recorded[]): Record<string, number> {
  const done = record.filter(({ code = Infinity, resource }) => code < 300 && resource !== 'ingresses');
  const created = done.filter(({ verb }) => verb === 'create');
  const removed = new Map(
    done.filter(({ verb }) => verb === 'delete').map((call) => [`${call.resource} ${call.name}`, call]),
  );
  const counts: Record<string, number> = {};
  for (const call of [...created, ...removed.values()]) counts[textOf(call)] = (counts[textOf(call)] ?? 0) + 1;
  return counts;
}

export function textOfRecord(record: readonly Recorded[]): string {
  return record.map(line).join('\n');
}

/** What tells why it goes no further. */
function textOfObject(object: Seen): string {
  const { name, uid, resourceVersion, generation, deletionTimestamp, finalizers } = object.metadata;
  const { spec, status } = object as { spec?: { state?: string }; status?: unknown };
  const told = { uid, resourceVersion, generation, deletionTimestamp, finalizers, state: spec?.state, status };
  return `there: ${object.kind} ${name} ${JSON.stringify(told)}`;
}

function line(call: Recorded): string {
  const fault = call.fault ? ` (${JSON.stringify(call.fault)})` : '';
  const what = call.event ? `  told ${call.event} ${call.resource}` : textOf(call);
  const answer = call.event ? '' : ` ${call.code ?? 'not asked'}`;
  return `${String(Math.round(call.at)).padStart(6)} ms ${what} ${call.name ?? ''}${answer}${fault}`;
}
