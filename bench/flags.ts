/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';

export const USAGE = `npm run bench                        the table of figures on simulated nodes: three runs, most of an hour
npm run bench -- --quick             100 workbenches, one run, two minutes: whether it works, not how fast it is
npm run bench -- --n 1000,5000       numbers of launches side by side with the bare writer
npm run bench -- --runs N            how often each figure is measured (default 3)
npm run bench -- --scale             1,000, 2,000, 5,000 and 10,000 workbenches at rest, instead of 1,000
npm run bench -- --storm [N]         also N creates at once (default 5,000)
npm run bench -- --real              only the time until the page opens, on a real node (root; one per machine)
npm run bench -- --only PART         only this part (may be repeated): launches, steps, latency, post, rest, population, failover
npm run bench -- --json FILE         the figures of every run
npm run bench -- --print FILE        measures nothing: the table of what --json has written (may be repeated, to join runs)
npm run bench -- --node-flag=FLAG    the controller runs with this flag of Node (may be repeated)
npm run bench -- --cpu-prof          profiles of the controller, one for each of its processes; says where they are
npm run bench -- --help              this text`;

const PARTS = ['launches', 'steps', 'latency', 'post', 'rest', 'population', 'failover'] as const;
/** What is measured in one go, in the order in which it is measured. */
export type SimulatedPart = (typeof PARTS)[number] | 'storm';

export interface Flags {
  help: boolean;
  /** Only what needs a real node. */
  real: boolean;
  parts: SimulatedPart[];
  runs: number;
  launches: number[];
  populations: number[];
  storm: number;
  cpuProf: boolean;
  nodeFlags: string[];
  json?: string;
  /** Files of earlier runs, of which the table is wanted. */
  print: string[];
  /** How long and how many; short for a look at whether it works. */
  effort: Effort;
}

export interface Effort {
  /** At rest, before memory is read and writes are counted. */
  restMs: number;
  /** A load on the REST facade. */
  loadMs: number;
  /** Launches one after the other. */
  single: number;
  /** How long 50 launches a second go on. */
  paceMs: number;
}

const THOROUGH: Effort = { restMs: 60_000, loadMs: 10_000, single: 50, paceMs: 20_000 };
const QUICK: Effort = { restMs: 3_000, loadMs: 1_000, single: 5, paceMs: 2_000 };

/** @throws Error with a sentence for a person */
export function parseFlags(args: string[]): Flags {
  const { values, positionals } = parseArgs({
    args,
    // After --storm a number may follow, which parseArgs knows no flag for.
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      quick: { type: 'boolean', default: false },
      scale: { type: 'boolean', default: false },
      storm: { type: 'boolean', default: false },
      real: { type: 'boolean', default: false },
      'cpu-prof': { type: 'boolean', default: false },
      n: { type: 'string' },
      runs: { type: 'string' },
      only: { type: 'string', multiple: true },
      json: { type: 'string' },
      'node-flag': { type: 'string', multiple: true, default: [] },
      print: { type: 'string', multiple: true, default: [] },
    },
  });
  const { quick, scale, storm, real, json } = values;
  if (positionals.length > (storm ? 1 : 0)) throw new Error(`There is nothing called "${positionals.at(-1)}".`);
  const only = values.only?.map(partFrom);
  const parts: SimulatedPart[] = PARTS.filter((part) => only?.includes(part) ?? true);
  if (storm) parts.push('storm');
  return {
    help: values.help,
    real,
    parts,
    runs: values.runs === undefined ? (quick ? 1 : 3) : positive('--runs', values.runs),
    launches: (values.n ?? (quick ? '100' : '1000,5000')).split(',').map((text) => positive('--n', text)),
    populations: scale ? [1_000, 2_000, 5_000, 10_000] : [quick ? 100 : 1_000],
    storm: positionals[0] === undefined ? 5_000 : positive('--storm', positionals[0]),
    cpuProf: values['cpu-prof'],
    nodeFlags: values['node-flag'],
    print: values.print,
    ...(json === undefined ? {} : { json }),
    effort: quick ? QUICK : THOROUGH,
  };
}

function partFrom(name: string): SimulatedPart {
  const part = PARTS.find((known) => known === name);
  if (part === undefined) throw new Error(`--only takes one of ${PARTS.join(', ')}, not "${name}".`);
  return part;
}

function positive(flag: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${flag} takes whole numbers from 1, not "${text}".`);
  return number;
}
