/** One run of schemathesis against an API that runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const HERE = import.meta.dirname;
/** The same tries each time; others, or more, by these variables. */
const { WB_FUZZ_SEED: seed = '1', WB_FUZZ_EXAMPLES: more } = process.env;
const PATIENCE_MS = 600_000;

export interface FuzzOptions {
  /** As of `pythonWithSchemathesis`. */
  python: string;
  /** http://HOST:PORT of the API. */
  rest: string;
  token?: string;
  /** Every operation must be answered 401. */
  isStranger?: boolean;
  /** Tries for each operation. */
  examples: number;
  /** Some of schemathesis' phases; by default all. */
  phases?: string;
}

export interface Fuzzed {
  requests: number;
  operations: number;
  /** Operations of which no well-formed request found what it asks for. */
  unreached: string[];
}

/** What is read of schemathesis' report. */
interface Report {
  operations: { tested: number };
  test_cases: { generated: number };
  /** By operation and phase. */
  valid_rates: Record<string, Record<string, { accepted: number; conflicts: number }>>;
}

/** @throws Error with what is wrong, and the curl commands that show it */
export async function fuzz({ python, rest, token, isStranger, examples, phases }: FuzzOptions): Promise<Fuzzed> {
  const folder = mkdtempSync(join(tmpdir(), 'workbench-fuzz-'));
  const report = join(folder, 'report.json');
  const args = [
    ['-m', 'schemathesis.cli', '--config-file', join(HERE, 'schemathesis.toml'), 'run', `${rest}/openapi.json`],
    ['--seed', seed, '--max-examples', more ?? String(examples), '--continue-on-failure', '--no-color'],
    ['--request-timeout', '30', '--report', 'json', '--report-json-path', report],
    phases === undefined ? [] : ['--phases', phases],
    token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`],
    (await streams(rest)).flatMap((operationId) => ['--exclude-operation-id', operationId]),
  ].flat();
  const env = {
    ...process.env,
    PYTHONPATH: HERE,
    PYTHONDONTWRITEBYTECODE: '1',
    SCHEMATHESIS_HOOKS: 'hooks',
    ...(isStranger ? { FUZZ_AS_STRANGER: 'true' } : {}),
  };
  const child = spawn(python, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'], timeout: PATIENCE_MS });
  try {
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    if (code !== 0) throw new Error(`Seed ${seed}: ${findings(output)}`);
    const fuzzed = summary(JSON.parse(readFileSync(report, 'utf8')) as Report);
    process.stderr.write(`${fuzzed.requests} requests to ${fuzzed.operations} operations, by seed ${seed}\n`);
    return fuzzed;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Operations whose answers have no end, by their names. */
async function streams(rest: string): Promise<string[]> {
  const response = await fetch(`${rest}/openapi.json`);
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, object>> };
  const operations = Object.values(paths).flatMap(Object.values) as { operationId?: string; responses?: object }[];
  return operations.flatMap(({ operationId, responses }) =>
    operationId !== undefined && JSON.stringify(responses).includes('"text/event-stream"') ? [operationId] : [],
  );
}

/** Of its output for people, that which is not about what went well. */
function findings(output: string): string {
  const start = output.search(/^=+ (ERRORS|FAILURES|WARNINGS) =+$/m);
  const end = output.search(/^=+ SUMMARY =+$/m);
  const found = start < 0 ? output.slice(-4000) : output.slice(start, end < start ? undefined : end);
  const lines = found.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => line.slice(0, 2000)).join('\n');
}

function summary({ operations, test_cases: cases, valid_rates: rates }: Report): Fuzzed {
  const isReached = (phasesOf: Report['valid_rates'][string]) =>
    Object.values(phasesOf).some(({ accepted, conflicts }) => accepted + conflicts > 0);
  const unreached = Object.entries(rates).flatMap(([name, each]) => (isReached(each) ? [] : [name]));
  return { requests: cases.generated, operations: operations.tested, unreached };
}
