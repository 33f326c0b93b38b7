/** The alert rules and the queries of the dashboard, judged by promtool: each alert fires when it should, and only then. */
import { beforeAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { binarySpec } from '../cluster/binaries/catalogue.ts';
import { findBinaries } from '../cluster/binaries/find.ts';
import { elapsedReport } from '../cluster/run/elapsedReport.ts';

const RULES = resolve('deploy/monitoring/rules.yaml');
let promtool: string;

beforeAll(async () => {
  promtool = (await findBinaries([binarySpec('promtool')], elapsedReport())).get('promtool')!;
}, 1_800_000);

/** @throws Error with what promtool says */
function run(args: string[], file?: object): string {
  const dir = mkdtempSync(join(tmpdir(), 'promtool-'));
  try {
    const path = join(dir, 'file.json');
    // JSON is YAML.
    if (file) writeFileSync(path, JSON.stringify(file));
    return execFileSync(promtool, [...args, ...(file ? [path] : [])], { encoding: 'utf8', stdio: 'pipe' });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

type Series = Record<string, string>;

/** One hour and more, minute by minute, in promtool's notation: "first + step x times". */
const A = 'job="wb",instance="a"';
const QUIET: Series = {
  [`leader{${A}}`]: '1+0x99',
  'leader{job="wb",instance="b"}': '0+0x99',
  [`lease_transitions_total{${A},to="acting"}`]: '1+0x99',
  [`lease_failures_total{${A}}`]: '0+0x99',
  [`watch_last_event_age_seconds{${A},kind="Pod"}`]: '30+0x99',
  [`watch_lists_total{${A},kind="Pod",cause="lost"}`]: '0+0x99',
  [`queue_oldest_age_seconds{${A}}`]: '0+0x99',
  [`reconcile_duration_seconds_count{${A},outcome="done"}`]: '0+60x99',
  [`reconcile_duration_seconds_count{${A},outcome="failed"}`]: '0+1x99',
  [`api_calls_total{${A},code="200"}`]: '0+100x99',
  [`api_calls_total{${A},code="409"}`]: '0+50x99',
  [`api_calls_total{${A},code="500"}`]: '0+1x99',
  [`launch_duration_seconds_count{${A},phase="Running"}`]: '0+1x99',
  [`launch_duration_seconds_count{${A},phase="Failed"}`]: '0+0x99',
  [`launch_duration_seconds_bucket{${A},phase="Running",le="60"}`]: '0+1x99',
  [`launch_duration_seconds_bucket{${A},phase="Running",le="300"}`]: '0+1x99',
  [`launch_duration_seconds_bucket{${A},phase="Running",le="+Inf"}`]: '0+1x99',
};
const PROCESS: Series = {
  [`nodejs_eventloop_lag_p99_seconds{${A}}`]: '0.05+0x99',
  [`process_resident_memory_bytes{${A}}`]: '130000000+0x99',
  // Somebody else's process under the same Prometheus.
  'nodejs_eventloop_lag_p99_seconds{job="other",instance="a"}': '9+0x99',
  'process_resident_memory_bytes{job="other",instance="a"}': '9000000000+0x99',
};

/** What is other than in a quiet life, and from which minute on the alert fires. */
const CASES: [alert: string, from: number, series: Series][] = [
  ['WorkbenchControllerNobodyActs', 11, { [`leader{${A}}`]: '1+0x9 0+0x89' }],
  ['WorkbenchControllerTwoAct', 11, { 'leader{job="wb",instance="b"}': '0+0x9 1+0x89' }],
  ['WorkbenchControllerLeaseMovesOften', 14, { [`lease_transitions_total{${A},to="acting"}`]: '1+0x9 1+1x89' }],
  ['WorkbenchControllerLeaseFails', 13, { [`lease_failures_total{${A}}`]: '0+0x9 0+2x89' }],
  ['WorkbenchControllerWatchStale', 11, { [`watch_last_event_age_seconds{${A},kind="Pod"}`]: '30+0x9 181+60x89' }],
  [
    'WorkbenchControllerWatchLosesItsPlace',
    16,
    { [`watch_lists_total{${A},kind="Pod",cause="lost"}`]: '0+0x9 0+1x89' },
  ],
  ['WorkbenchControllerQueueStands', 12, { [`queue_oldest_age_seconds{${A}}`]: '0+0x9 31+60x89' }],
  [
    'WorkbenchControllerPassesFail',
    21,
    { [`reconcile_duration_seconds_count{${A},outcome="failed"}`]: '0+0x9 0+99x89' },
  ],
  ['WorkbenchControllerApiErrors', 21, { [`api_calls_total{${A},code="none"}`]: '0+0x9 0+99x89' }],
  ['WorkbenchLaunchesFail', 13, { [`launch_duration_seconds_count{${A},phase="Failed"}`]: '0+0x9 0+2x89' }],
  ['WorkbenchLaunchesSlow', 16, { [`launch_duration_seconds_bucket{${A},phase="Running",le="60"}`]: '0+0x99' }],
  ['WorkbenchControllerBlocked', 15, { [`nodejs_eventloop_lag_p99_seconds{${A}}`]: '0.05+0x9 0.6+0x89' }],
  ['WorkbenchControllerMemory', 20, { [`process_resident_memory_bytes{${A}}`]: '130000000+0x9 450000000+0x89' }],
];

/** promtool's own format: which alerts fire at which minute. */
function scenario(series: Series, firing: Record<number, string[]>): object {
  const named = (name: string) => (/^(nodejs|process)_/.test(name) ? name : `workbench_controller_${name}`);
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: named(name), values })),
    promql_expr_test: Object.entries(firing).map(([minute, alerts]) => ({
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: `${minute}m`,
      exp_samples: alerts.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
    })),
  };
}

const unitTests = (...tests: object[]) =>
  run(['test', 'rules'], { rule_files: [RULES], evaluation_interval: '1m', tests });

test('the rules are sound', () => {
  expect(run(['check', 'rules', '--lint=all', '--lint-fatal', RULES])).toContain('SUCCESS');
});

test('a quiet life sets off no alert', () => {
  unitTests(scenario({ ...QUIET, ...PROCESS }, { 5: [], 30: [], 99: [] }));
});

test('no replica at all is told after five minutes', () => {
  unitTests(scenario({}, { 4: [], 5: ['WorkbenchControllerAbsent'] }));
});

test.each(CASES)('%s fires from minute %i on, alone', (alert, from, series) => {
  unitTests(scenario({ ...QUIET, ...PROCESS, ...series }, { [from - 1]: [], [from]: [alert] }));
});

test('every alert is tried here', () => {
  const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { alert: string }[] }[] };
  const tried = [...CASES.map(([alert]) => alert), 'WorkbenchControllerAbsent'];
  expect(groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)).toSorted()).toEqual(tried.toSorted());
});

test('Prometheus can read every query of the dashboard', () => {
  const { panels } = JSON.parse(readFileSync('deploy/monitoring/dashboard.json', 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const queries = panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m')),
  );
  const rules = queries.map((expr, index) => ({ record: `query:${index}`, expr }));
  expect(run(['check', 'rules'], { groups: [{ name: 'dashboard', rules }] })).toContain(
    `${queries.length} rules found`,
  );
});
