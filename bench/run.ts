/** `npm run bench`: the figures of the README, measured on this machine. The table is on stdout, what goes on on stderr. */
import { readFileSync, writeFileSync } from 'node:fs';
import { isInterrupted } from '../test/cluster/run/interrupt.ts';
import { elapsedReport } from '../test/cluster/run/elapsedReport.ts';
import { USAGE, parseFlags } from './flags.ts';
import type { Flags, SimulatedPart } from './flags.ts';
import { contextRows, goalRows } from './goals.ts';
import type { Sizes } from './goals.ts';
import { layGround } from './ground.ts';
import type { Ground } from './ground.ts';
import { describeMachine, machineLine } from './machine.ts';
import type { Machine } from './machine.ts';
import { measureFailover } from './parts/failover.ts';
import { measureLatency } from './parts/latency.ts';
import { measureLaunches } from './parts/launches.ts';
import { measurePage } from './parts/page.ts';
import { measurePopulation } from './parts/population.ts';
import { measurePost } from './parts/post.ts';
import { measureRest } from './parts/rest.ts';
import { measureSteps } from './parts/steps.ts';
import { measureStorm } from './parts/storm.ts';
import { Results } from './results.ts';
import type { Report } from './results.ts';
import { contextTable, goalTable, joinSizes, toReport } from './table.ts';

/** Each stands on a cluster that nothing is left on, and leaves it so. */
const PARTS: Record<SimulatedPart, (ground: Ground, results: Results, run: number) => Promise<void>> = {
  launches: measureLaunches,
  steps: measureSteps,
  latency: measureLatency,
  post: measurePost,
  rest: measureRest,
  population: measurePopulation,
  failover: measureFailover,
  storm: measureStorm,
};

async function onSimulatedNodes(flags: Flags, results: Results, report: (line: string) => void): Promise<Machine> {
  const ground = await layGround(flags, report);
  const machine = await describeMachine(ground.portal);
  try {
    for (let run = 0; run < flags.runs; run += 1) {
      for (const part of flags.parts) {
        report(`run ${run + 1} of ${flags.runs}: ${part}`);
        await PARTS[part](ground, results, run);
      }
    }
  } catch (error) {
    // What has been measured by then, perhaps for an hour, is shown all the same.
    fail(error);
  }
  await ground.cluster.stop();
  return machine;
}

function fail(error: unknown): void {
  if (isInterrupted()) return;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function bench(flags: Flags): Promise<void> {
  const rows = [...goalRows(flags), ...contextRows(flags)];
  const results = new Results(rows);
  const machine = await (flags.real ? measurePage : onSimulatedNodes)(flags, results, elapsedReport());
  print(machine, flags, results);
  if (flags.json === undefined) return;
  const { launches, populations } = flags;
  const report = toReport(rows, results, machine, { launches, populations });
  writeFileSync(flags.json, `${JSON.stringify(report, null, 2)}\n`);
}

function printAgain(files: string[]): void {
  const reports = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report);
  const sizes = joinSizes(reports.map((report) => report.sizes));
  const results = new Results([...goalRows(sizes), ...contextRows(sizes)]);
  for (const report of reports) results.join(report);
  print(reports[0]!.machine, sizes, results);
}

function print(machine: Machine, sizes: Sizes, results: Results): void {
  const tables = [goalTable(goalRows(sizes), results), contextTable(contextRows(sizes), results)];
  process.stdout.write(`${[machineLine(machine), ...tables].join('\n\n')}\n`);
}

try {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.help) process.stdout.write(`${USAGE}\n`);
  else if (flags.print.length > 0) printAgain(flags.print);
  else await bench(flags);
} catch (error) {
  fail(error);
}
// A watch that a failed part has left behind would ask for ever.
if (process.exitCode === 1) process.exit();
