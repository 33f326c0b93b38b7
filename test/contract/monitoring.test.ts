/** The metrics, and all that speaks of them: the README's table, the dashboard, the alert rules. */
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Metric } from 'prom-client';
import { parse } from 'yaml';
import { Store } from '../../src/kube/store.ts';
import { createMetrics } from '../../src/metrics.ts';

const { registry, observe } = createMetrics();
observe({
  store: new Store(),
  watches: [],
  lease: { remainingMs: () => 0 },
  controller: { backlog: () => ({ depth: 0, oldestMs: 0 }) },
  recorder: { counts: { written: 0, dropped: 0, failed: 0 } },
});
const described = registry.getMetricsAsArray();
const metrics = described.map(({ name, help, type }) => {
  const { labelNames } = registry.getSingleMetric(name) as Metric & { labelNames: string[] };
  return { name, help, type: String(type), labels: labelNames };
});
const ours = metrics.filter(({ name }) => name.startsWith('workbench_controller_'));

/** As a query names them. */
const queried = metrics.flatMap(({ name, type }) =>
  type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name],
);
const namesIn = (expression: string) =>
  [...expression.matchAll(/\b(?:workbench_controller|process|nodejs)_\w+/g)].map(([name]) => name);

interface Panel {
  id: number;
  title: string;
  type: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}
const dashboard = JSON.parse(readFileSync('deploy/monitoring/dashboard.json', 'utf8')) as {
  panels: Panel[];
  templating: { list: { query: string | { query: string } }[] };
};
const rules = parse(readFileSync('deploy/monitoring/rules.yaml', 'utf8')) as {
  groups: { rules: { alert: string; expr: string; labels: object; annotations: object }[] }[];
};
const alerts = rules.groups.flatMap((group) => group.rules);

test('names and units follow the conventions of Prometheus', () => {
  expect(ours.length).toBeGreaterThan(10);
  for (const { name, type } of ours) {
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    expect(name).not.toMatch(/milliseconds|_ms(_|$)|_seconds_/);
    if (/duration|age/.test(name)) expect(name).toMatch(/_seconds$/);
  }
});

test("labels are few, and none of them can hold a user's or a workbench's name", () => {
  const labels = new Set(ours.flatMap((metric) => metric.labels));
  expect(labels).toEqual(new Set(['verb', 'resource', 'code', 'outcome', 'phase', 'kind', 'cause', 'to']));
});

test("the README's table of metrics is what can be scraped", () => {
  const rows = readFileSync('README.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `workbench_controller_'))
    .map((row) => row.replaceAll(/ {2,}/g, ' '));
  expect(rows).toEqual(
    ours.map(({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`.replaceAll('  ', ' '),
    ),
  );
});

test('the dashboard and the alert rules name no metric that is not there, and the dashboard leaves none of ours out', () => {
  const shown = dashboard.panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => namesIn(expr)));
  const warned = alerts.flatMap(({ expr }) => namesIn(expr));
  expect([...shown, ...warned].filter((name) => !queried.includes(name))).toEqual([]);
  const base = new Set(shown.map((name) => name.replace(/_(bucket|count|sum)$/, '')));
  expect(ours.filter(({ name }) => !base.has(name))).toEqual([]);
  expect(JSON.stringify(dashboard.templating)).toContain('label_values(workbench_controller_leader, job)');
});

test('the panels of the dashboard have a title, a description and a place of their own', () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const { title, type, description } of panels) {
    expect(title).not.toBe('');
    if (type !== 'row') expect([title, description]).toEqual([title, expect.stringMatching(/\.$/)]);
  }
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});

test('every alert has a severity, a summary and something to do', () => {
  for (const { alert, labels, annotations } of alerts) {
    expect([alert, labels]).toEqual([alert, { severity: expect.stringMatching(/^(critical|warning|info)$/) }]);
    expect([alert, annotations]).toEqual([
      alert,
      { summary: expect.stringMatching(/\.$/), description: expect.stringMatching(/\.$/) },
    ]);
  }
});
