/**
 * `npm test`: every test, quick ones first, then those on a real API server beside those on real Pods, which mostly wait. Ends
 * with one plain line of counts; whatever cannot run here is counted as skipped, with its reason above that line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { binariesFor, binarySpec } from './cluster/binaries/catalogue.ts';
import { findBinaries } from './cluster/binaries/find.ts';
import { whyNoRealNode } from './cluster/cluster.ts';
import { elapsedReport } from './cluster/run/elapsedReport.ts';
import { countsOf } from './jest-results.ts';
import type { Counts } from './jest-results.ts';
import { whyNoKeycloak } from './keycloak/distribution.ts';

const USAGE = `npm test                              every test
npm test -- quick api                 only these projects: quick, api (a real API server), faults (plans), e2e (real Pods)
npm test -- --match rest              only test files whose path matches
npm test -- --no-install              without installing missing Debian packages; tests that need them are then skipped
npm test -- --kubeconfig FILE         on that cluster (also WB_TEST_KUBECONFIG): only what needs nothing but an API server
npm test -- --help                    this text`;

const PROJECTS = ['quick', 'api', 'faults', 'e2e'] as const;
/** The last compares what all the others have asked of their API servers with what deploy/ grants. */
type Project = (typeof PROJECTS)[number] | 'rights';

/** One after the other in each lane, the lanes side by side: on two cores that takes two thirds of the time. */
const LANES: Project[][] = [['api', 'faults'], ['e2e']];

/** Clusters with simulated nodes stand side by side, and mostly wait; there is one real node per machine. */
const HOW_MANY: Record<Project, string[]> = {
  quick: [],
  api: ['--maxWorkers=2'],
  faults: ['--runInBand'],
  e2e: ['--runInBand'],
  rights: ['--runInBand'],
};

function flags() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        match: { type: 'string' },
        'no-install': { type: 'boolean', default: false },
        kubeconfig: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const unknown = positionals.find((name) => !(PROJECTS as readonly string[]).includes(name));
    if (unknown !== undefined) throw new Error(`There is no project "${unknown}".`);
    return { ...values, projects: (positionals.length > 0 ? positionals : PROJECTS) as readonly Project[] };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    process.exit(2);
  }
}

/** All that needs no node; nothing else is tried on a cluster that somebody gave. */
const ON_GIVEN = 'api/manifests';

/** It needs Debian packages, as nothing else of its project does. */
const WITH_KEYCLOAK = 'api/identity';

/** Why a project cannot run here; undefined when it can. */
function reasonToSkip(
  project: Project,
  given: string | undefined,
  install: boolean,
  { failed, skipped }: Counts,
): string | undefined {
  const hasAll = failed === 0 && skipped.length === 0;
  if (project === 'rights') return hasAll ? undefined : 'a part of a suite does not ask for all that is granted';
  if (given !== undefined && project === 'e2e') return 'tests on real Pods bring their own node; a cluster was given';
  if (given !== undefined && project === 'faults') return 'the plans bring their own cluster; one was given';
  return project === 'e2e' ? whyNoRealNode({ install }) : undefined;
}

/** Builds what a project's clusters need, before any test is timed: the first time it takes minutes. @throws Error */
async function prepare(project: Project, given: string | undefined): Promise<void> {
  if (project === 'rights' || given !== undefined) return;
  const specs =
    project === 'e2e'
      ? binariesFor('real', { networkPolicies: true })
      : [...binariesFor('simulated'), binarySpec('promtool')];
  await findBinaries(specs, elapsedReport());
}

async function run(
  project: Project,
  match: string | undefined,
  env: NodeJS.ProcessEnv,
  folder: string,
  left: string[],
): Promise<Counts> {
  const output = join(folder, `${project}.json`);
  const jest = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const args = [
    ...jest,
    '--selectProjects',
    project,
    ...HOW_MANY[project],
    '--verbose',
    '--json',
    `--outputFile=${output}`,
    '--passWithNoTests',
    ...left.map((path) => `--testPathIgnorePatterns=${path}`),
  ];
  // jest's own JSON on stdout is the same again; its report for people is on stderr.
  const child = spawn(process.execPath, match ? [...args, match] : args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  createInterface({ input: child.stderr }).on('line', (line) => process.stderr.write(`${project} │ ${line}\n`));
  await once(child, 'close');
  running.delete(child);
  return countsOf(project, output);
}

const running = new Set<ReturnType<typeof spawn>>();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // The terminal sends Ctrl-C to jest too; its clusters' janitors clean up when it ends.
  process.on(signal, () => {
    for (const child of running) child.kill('SIGTERM');
    process.exitCode = 130;
    interrupted = true;
  });
}

const { projects, match, kubeconfig, help, 'no-install': noInstall } = flags();
if (help) {
  process.stdout.write(`${USAGE}\n`);
} else {
  const given = kubeconfig ?? process.env.WB_TEST_KUBECONFIG;
  const { KUBECONFIG: _, ...ambient } = process.env;
  const folder = mkdtempSync(join(tmpdir(), 'workbench-test-'));
  const env = {
    ...ambient,
    WB_TEST_AUDIT: join(folder, 'audit'),
    ...(given ? { WB_TEST_KUBECONFIG: given } : {}),
    ...(noInstall ? { WB_TEST_NO_INSTALL: 'true' } : {}),
  };
  const total: Counts = { passed: 0, failed: 0, skipped: [], failures: [] };

  /** Whether it can run here; what its clusters need is then built. */
  async function isReady(project: Project): Promise<boolean> {
    if (interrupted) return false;
    const reason = reasonToSkip(project, given, !noInstall, total);
    if (reason !== undefined) {
      total.skipped.push(`all of ${project}: ${reason}`);
      return false;
    }
    try {
      await prepare(project, given);
    } catch (error) {
      total.failed += 1;
      total.failures.push(`failed: all of ${project}: ${(error as Error).message}`);
      return false;
    }
    return !interrupted;
  }

  async function take(project: Project): Promise<void> {
    if (interrupted) return;
    const isGiven = given !== undefined && project === 'api';
    if (isGiven) total.skipped.push(`api but ${ON_GIVEN}: simulated nodes are not put into a cluster that was given`);
    const whyLeft = project === 'api' && !isGiven ? whyNoKeycloak(!noInstall) : undefined;
    if (whyLeft !== undefined) total.skipped.push(`${WITH_KEYCLOAK}: ${whyLeft}`);
    const started = performance.now();
    process.stderr.write(`\n— ${project} —\n`);
    const left = whyLeft === undefined ? [] : [WITH_KEYCLOAK];
    const counts = await run(project, isGiven ? ON_GIVEN : match, env, folder, left);
    process.stderr.write(`— ${project}: ${Math.round((performance.now() - started) / 1000)} s —\n`);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped.push(...counts.skipped);
    total.failures.push(...counts.failures);
  }

  async function takeAll(wanted: readonly Project[]): Promise<void> {
    for (const project of wanted) await take(project);
  }

  if (projects.includes('quick')) await take('quick');
  const ready: Project[] = [];
  // One after the other: each build keeps every core busy.
  for (const project of LANES.flat()) if (projects.includes(project) && (await isReady(project))) ready.push(project);
  await Promise.all(LANES.map((lane) => takeAll(lane.filter((project) => ready.includes(project)))));
  const isWhole = projects.length === PROJECTS.length && match === undefined;
  if (isWhole && (await isReady('rights'))) await take('rights');
  rmSync(folder, { recursive: true, force: true });
  for (const failure of total.failures) process.stdout.write(`${failure}\n`);
  for (const reason of total.skipped) process.stdout.write(`skipped: ${reason}\n`);
  if (interrupted) process.stdout.write('interrupted\n');
  const skipped = total.skipped.length > 0 ? `, ${total.skipped.length} skipped` : '';
  process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
  if (total.failed > 0 || total.passed === 0) process.exitCode ||= 1;
}
