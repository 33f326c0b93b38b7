/** `npm run faults`: plays plans on a cluster of its own; ends with a line of counts, and with code 1 if any had a problem. */
import { parseArgs } from 'node:util';
import { STAGES, openFaults, recoveries, seconds, startFaultCluster } from './faults.ts';
import type { Result } from './faults.ts';
import { keep, keptCluster } from './kept.ts';
import { plans } from './plans.ts';
import type { Plan } from './plans.ts';
import { userOf } from './stage.ts';

const USAGE = `npm run faults                       every plan
npm run faults -- --list             what there is, without running it
npm run faults -- --plan ID          only this one (may be repeated; what can share a controller does)
npm run faults -- --match TEXT       only those whose id holds TEXT
npm run faults -- --repeat N         each N times
npm run faults -- --at-once N        on N stages side by side (default ${STAGES})
npm run faults -- --keep             starts a cluster that later calls use, so that a plan takes two seconds; until Ctrl-C
npm run faults -- --help             this text`;

interface Flags {
  chosen: Plan[];
  list: boolean;
  keep: boolean;
  help: boolean;
  atOnce: number;
}

function flags(): Flags {
  const { values } = parseArgs({
    options: {
      list: { type: 'boolean', default: false },
      plan: { type: 'string', multiple: true },
      match: { type: 'string', default: '' },
      repeat: { type: 'string', default: '1' },
      'at-once': { type: 'string', default: String(STAGES) },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { plan: ids, match, list, keep: isKept, help } = values;
  const unknown = ids?.find((id) => !plans.some((plan) => plan.id === id));
  if (unknown !== undefined) throw new Error(`There is no plan "${unknown}"; --list shows them.`);
  const wanted = plans.filter(({ id }) => (ids?.includes(id) ?? true) && id.includes(match));
  if (wanted.length === 0) throw new Error(`No plan's id holds "${match}"; --list shows them.`);
  const times = Array.from({ length: positive('repeat', values.repeat) });
  const chosen = times.flatMap(() => wanted.map((plan) => ({ ...plan })));
  return { chosen, list, keep: isKept, help, atOnce: Math.min(positive('at-once', values['at-once']), chosen.length) };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} takes a number from 1, not "${text}".`);
  return number;
}

async function play({ chosen, atOnce }: Flags): Promise<void> {
  const kept = await keptCluster();
  const faults = await openFaults(kept ? Math.min(atOnce, STAGES) : atOnce, kept);
  const began = performance.now();
  const results = await Promise.all(
    faults.play(chosen).map(async (playing) => {
      const result = await playing;
      if (result.problem !== undefined) process.stdout.write(`problem: ${result.plan.id}\n${result.problem}\n`);
      return result;
    }),
  );
  report(results, performance.now() - began);
  await faults.end();
}

async function hold(): Promise<void> {
  const users = Array.from({ length: STAGES }, (_, index) => userOf(index + 1));
  await keep(await startFaultCluster(), users);
  process.stdout.write('A cluster is kept for "npm run faults"; Ctrl-C ends it.\n');
  // The components are detached and keep no process alive; a signal ends this one.
  setInterval(() => {}, 2 ** 30);
}

function report(results: Result[], ms: number): void {
  const failed = results.filter(({ problem }) => problem !== undefined);
  const sorted = results.toSorted((a, b) => a.ms - b.ms);
  const quantile = (part: number) => seconds(sorted[Math.floor((sorted.length - 1) * part)]!.ms);
  const perMinute = Math.round((results.length * 60_000) / ms);
  process.stdout.write(
    `${results.length} plans, ${failed.length} problems, ${seconds(ms)} (${perMinute} a minute); a batch ${quantile(0.5)}, 95 % within ${quantile(0.95)}, the slowest ${quantile(1)}: ${sorted.at(-1)!.plan.id}\n`,
  );
  process.stdout.write(recoveries(results));
  for (const { plan } of failed) process.stdout.write(`again: npm run faults -- --plan ${plan.id}\n`);
  if (failed.length > 0) process.exitCode = 1;
}

// "| head" has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  const chosen = flags();
  if (chosen.help) process.stdout.write(`${USAGE}\n`);
  else if (chosen.list) for (const { id, title } of chosen.chosen) process.stdout.write(`${id.padEnd(40)} ${title}\n`);
  else if (chosen.keep) await hold();
  else await play(chosen);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
  process.exitCode = 2;
}
