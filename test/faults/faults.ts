/** A cluster with several stages, on which plans are played at once and judged by the reference run of their scenario. */
import { deepStrictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { layStorage } from '../disks.ts';
import { bundle } from '../installation.ts';
import { DISKS } from './disk.ts';
import type { Plan } from './plans.ts';
import type { ScenarioName } from './scenarios.ts';
import { openStage, textOfRecord } from './stage.ts';
import type { Run, Stage } from './stage.ts';

export interface Result {
  plan: Plan;
  ms: number;
  /** What was not as in the reference run, with the requests and the log; undefined: all was. */
  problem?: string;
  /** From the last fault until the end was there, ms. */
  recoveredMs?: number;
}

export interface Faults {
  /** Plays them, each object once, as many at once as may be; a result never rejects. */
  play: (plans: readonly Plan[]) => Promise<Result>[];
  /** The run without a fault; made once. */
  reference: (scenario: ScenarioName) => Promise<Run>;
  end: () => Promise<void>;
}

/** Enough to keep two cores busy while plans wait for silence. */
export const STAGES = 8;

/** Plans that share a controller. More would not be cheaper, and a problem would be harder to read. */
const BATCH = 8;

/** @param given the cluster to play on; default: one of its own, which ends with it */
export async function openFaults(stages: number, given?: Cluster): Promise<Faults> {
  const cluster = given ?? (await startFaultCluster());
  try {
    // Of this process alone, on a cluster that others may use; it goes with the cluster, however that ends.
    const program = await bundle(join(cluster.dir, `controller-${process.pid}`));
    return await openOn(cluster, stages, program);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Nothing is measured on it and nothing kept, so it does not wait for the disk. */
export async function startFaultCluster(): Promise<Cluster> {
  const kinds = join(import.meta.dirname, '../../crds/workbenches.yaml');
  const cluster = await startCluster({ nodes: 'simulated', kinds, durable: false });
  // Its volumes are made with the plans that need one.
  await layStorage(cluster, DISKS, false, 0);
  return cluster;
}

async function openOn(cluster: Cluster, stages: number, program: string): Promise<Faults> {
  const free: Stage[] = [];
  const waiting: ((stage: Stage) => void)[] = [];
  const references = new Map<ScenarioName, Promise<Run>>();
  let opened = 0;
  const open = () => openStage(cluster, (opened += 1), program);
  free.push(...(await Promise.all(Array.from({ length: stages }, open))));

  async function withStage<T>(use: (stage: Stage) => Promise<T>): Promise<T> {
    const stage = free.pop() ?? (await new Promise<Stage>((resolve) => waiting.push(resolve)));
    try {
      return await use(stage);
    } finally {
      const next = waiting.shift();
      if (next) next(stage);
      else free.push(stage);
    }
  }

  function reference(scenario: ScenarioName): Promise<Run> {
    const known =
      references.get(scenario) ??
      withStage(async (stage) => {
        const [run] = await stage.run([{ scenario, rules: [] }], 'usual');
        if (run!.status === 'rejected') throw run!.reason;
        return run!.value;
      });
    references.set(scenario, known);
    return known;
  }

  async function playBatch(batch: readonly Plan[]): Promise<Result[]> {
    const wanted = await Promise.all(batch.map(async ({ scenario }) => (await reference(scenario)).outcome));
    return withStage(async (stage) => {
      const began = performance.now();
      const parts = batch.map((plan, index) => ({ ...plan, wanted: wanted[index]!.end }));
      const runs = await stage.run(parts, batch[0]!.pace);
      const ms = performance.now() - began;
      return batch.map((plan, index) => {
        const run = runs[index]!;
        const problem = problemOf(plan, run, wanted[index]!);
        const { recoveredMs } = run.status === 'fulfilled' ? run.value : {};
        const mates = batch.filter((other) => other !== plan).map(({ id }) => id);
        const log = stage.log().join('\n');
        const where = mates.length > 0 ? `\nplayed together with ${mates.join(' ')}` : '';
        return {
          plan,
          ms,
          ...(problem === undefined ? {} : { problem: `${problem}\n${log}${where}` }),
          ...(recoveredMs === undefined ? {} : { recoveredMs }),
        };
      });
    });
  }

  return {
    reference,
    play(plans) {
      const results = new Map<Plan, PromiseWithResolvers<Result>>();
      const all = plans.map((plan) => {
        const result = Promise.withResolvers<Result>();
        results.set(plan, result);
        return result.promise;
      });
      void tellOf(all);
      for (const batch of batches(plans)) {
        const failed = (error: unknown) =>
          batch.map((plan) => ({ plan, ms: 0, problem: `no undisturbed run, or no stage: ${String(error)}` }));
        const tell = (played: Result[]) => played.forEach((result) => results.get(result.plan)!.resolve(result));
        void playBatch(batch).catch(failed).then(tell);
      }
      return all;
    },
    async end() {
      await Promise.all(free.map((stage) => stage.end()));
      await cluster.stop();
    },
  };
}

/** What is done to a watch, as ids have it; and the silence that the product itself waits for. */
const OF_WATCHES: [what: string, id: RegExp][] = [
  ['a watch reset or closed', /:(cut-before|cut-after|half|close)~/],
  ['410, or an error, in a watch', /:(cut-gone|gone|error)~/],
  ['a silent watch', /:silent-really~/],
];

/** How long after the last fault the workbench was where it should be, for faults of watches; lines for people. */
export function recoveries(results: readonly Result[]): string {
  return OF_WATCHES.map(([what, id]) => {
    const times = results.flatMap(({ plan, recoveredMs }) => (id.test(plan.id) ? (recoveredMs ?? []) : []));
    const sorted = times.toSorted((a, b) => a - b);
    if (sorted.length === 0) return '';
    const at = (part: number) => seconds(sorted[Math.floor((sorted.length - 1) * part)]!);
    return `${what}, ${sorted.length} times: the end came after ${at(0.5)}, 95 % within ${at(0.95)}, the slowest ${at(1)}\n`;
  }).join('');
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

const PROGRESS_MS = 15_000;

/** How far it has come, on stderr, until all is done. */
async function tellOf(playing: readonly Promise<Result>[]): Promise<void> {
  let [done, problems] = [0, 0];
  const tell = () => process.stderr.write(`${done} of ${playing.length} plans, ${problems} problems\n`);
  const timer = setInterval(tell, PROGRESS_MS);
  for (const result of playing) {
    void result.then(({ problem }) => {
      done += 1;
      if (problem !== undefined) problems += 1;
    });
  }
  await Promise.all(playing);
  clearInterval(timer);
}

/**
 * What may share a stage: plans in which the controller dies equally often, and those in which it never does and only requests
 * and events of their own are touched.
 */
function batches(plans: readonly Plan[]): Plan[][] {
  const all: Plan[][] = [];
  const open = new Map<string, Plan[]>();
  for (const plan of plans) {
    const crashes = plan.rules.filter(({ action }) => action.do === 'crash').length;
    const key = `${plan.pace} ${crashes} ${crashes > 0 ? plan.scenario : ''} ${plan.withinMs ?? 0}`;
    const batch = plan.isAlone ? undefined : open.get(key);
    if (batch && batch.length < BATCH) {
      batch.push(plan);
      continue;
    }
    all.push([plan]);
    if (!plan.isAlone) open.set(key, all.at(-1)!);
  }
  // The slow ones first, so that nobody waits for them alone; then by settings, since other ones cost a restart.
  const order = (batch: Plan[]) => ((batch[0]?.withinMs ?? 0) > 10_000 ? '' : batch[0]!.pace);
  return all.toSorted((a, b) => order(a).localeCompare(order(b)));
}

function problemOf(plan: Plan, run: PromiseSettledResult<Run>, wanted: Run['outcome']): string | undefined {
  if (run.status === 'rejected') return (run.reason as Error).message;
  const { outcome, record } = run.value;
  try {
    deepStrictEqual(outcome, { ...wanted, done: plan.rules.length });
    return undefined;
  } catch (error) {
    return `${(error as Error).message}\n${textOfRecord(record)}`;
  }
}
