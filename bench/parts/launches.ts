/** Launches a second, ours beside the bare writer: the same workbenches, on the same cluster, counted in the same log. */
import { CONTROLLER_USER } from '../../test/installation.ts';
import { isControllerWrite, isStatusPatch, spanMs } from '../calls.ts';
import { untilCaughtUp } from '../caught-up.ts';
import { BARE_USER } from '../ground.ts';
import type { Ground } from '../ground.ts';
import { Observer } from '../observer.ts';
import { runOwnProcess } from '../own-process.ts';
import { countUnready, countUnrouted, createMany, patienceMs, sweep } from '../portal.ts';
import { controlPlaneCpuMs, cpuMs, spentSince } from '../processes.ts';
import type { Results } from '../results.ts';

interface Contest {
  user: string;
  perSecond: number;
  cpuMs: number;
  /** By component. */
  planeCpuMs: Record<string, number>;
  calls: number;
  /** Pods that were not up when the last write was done. */
  unready: number;
  /** Services for which the controller manager had still something to write then. */
  unrouted: number;
  conflicts: number;
  noOps: number;
}

export async function measureLaunches(ground: Ground, results: Results, run: number): Promise<void> {
  const { report, flags } = ground;
  for (const n of flags.launches) {
    const contenders = [bareWriter, ours];
    // Whoever is second meets a larger etcd, so they take turns.
    const found: Contest[] = [];
    for (const contender of run % 2 === 0 ? contenders : contenders.toReversed()) {
      const contest = await compete(ground, n, contender);
      const parts = Object.entries(contest.planeCpuMs).map(([name, ms]) => `${name} ${(ms / n).toFixed(1)}`);
      report(
        `${n} launches by ${contest.user}: ${contest.perSecond.toFixed(1)}/s; ms of CPU each: ${parts.join(', ')}`,
      );
      found.push(contest);
    }
    const [bare, our] = [BARE_USER, CONTROLLER_USER].map((name) => found.find(({ user }) => user === name)!);
    record(results, n, bare!, our!);
  }
}

function record(results: Results, n: number, bare: Contest, our: Contest): void {
  results.add(`ratio ${n}`, (our.perSecond / bare.perSecond) * 100);
  results.add(`effort ${n}`, (effortMs(bare) / effortMs(our)) * 100);
  results.add(`rate ours ${n}`, our.perSecond);
  results.add(`rate bare ${n}`, bare.perSecond);
  results.add(`cpu ours ${n}`, our.cpuMs / n);
  results.add(`cpu bare ${n}`, bare.cpuMs / n);
  results.add(`plane ours ${n}`, total(our.planeCpuMs) / n);
  results.add(`plane bare ${n}`, total(bare.planeCpuMs) / n);
  results.add(`unready bare ${n}`, bare.unready);
  results.add(`unrouted bare ${n}`, bare.unrouted);
  results.add(`unrouted ours ${n}`, our.unrouted);
  results.add(`calls ours ${n}`, our.calls / n);
  results.add(`calls bare ${n}`, bare.calls / n);
  const [conflicts, noOps] = [our.conflicts, our.noOps].map((count) => (count * 1000) / n);
  results.add('conflicts', conflicts!);
  results.add('no-ops', noOps!);
  results.add('waste', conflicts! + noOps!);
}

/** CPU of everybody, until all is up. */
function effortMs({ cpuMs: own, planeCpuMs }: Contest): number {
  return own + total(planeCpuMs);
}

function total(parts: Record<string, number>): number {
  return Object.values(parts).reduce((sum, part) => sum + part, 0);
}

/** Workbenches that nobody serves are there already; from then on only the contender and the cluster are at work. */
async function compete(ground: Ground, n: number, contender: typeof ours): Promise<Contest> {
  const { portal, audit, cluster, dispatched } = ground;
  await sweep(portal);
  const names = await createMany(portal, n);
  const observer = new Observer(portal, { pods: false });
  await observer.synced;
  const user = contender === ours ? CONTROLLER_USER : BARE_USER;
  const [mark, before, planeBefore] = [await audit.mark(), await dispatched(user), controlPlaneCpuMs(cluster.dir)];
  const used = await contender(ground, names, observer);
  const calls = (await dispatched(user)) - before;
  const [unready, unrouted] = [await countUnready(portal), await countUnrouted(portal, n)];
  const writes = (await audit.since(mark, user)).filter(isControllerWrite);
  // The same work for both: the bare writer has ended before the Pods are up, and before the controller manager is done.
  await untilCaughtUp(portal, n);
  const planeCpuMs = spentSince(planeBefore, cluster.dir);
  await observer.stop();
  await ground.controller.end();
  await sweep(portal);

  const patches = writes.filter((entry) => isStatusPatch(entry) && entry.code === 200);
  return {
    user,
    perSecond: (n * 1000) / spanMs(writes),
    cpuMs: used,
    planeCpuMs,
    calls,
    unready,
    unrouted,
    conflicts: writes.filter(({ code }) => code === 409).length,
    // A patch that changes nothing is answered 200 and seen by no watch.
    noOps: Math.max(patches.length - observer.changes, 0),
  };
}

async function ours({ controller }: Ground, names: string[], observer: Observer): Promise<number> {
  await controller.start();
  const { pid } = controller.process();
  const before = cpuMs(pid!);
  await observer.until(names, 'Running', patienceMs(names.length));
  return cpuMs(pid!) - before;
}

async function bareWriter({ bareKubeconfig }: Ground): Promise<number> {
  const env = { KUBECONFIG: bareKubeconfig, BASE_URL: 'http://cloud.example', WB_VERIFY_ENDPOINT: 'off' };
  return (await runOwnProcess<{ cpuMs: number }>('bare-writer.ts', [], env)).cpuMs;
}
