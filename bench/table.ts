/** The results as Markdown for a README, and as JSON for a program. */
import type { Measure, Row, Sizes } from './goals.ts';
import type { Machine } from './machine.ts';
import type { Report, Results } from './results.ts';
import { formatNumber } from './statistics.ts';

function describe({ name, label, unit }: Measure, results: Results): string | undefined {
  const summary = results.summary(name);
  if (!summary) return undefined;
  const [median, min, max] = [summary.median, summary.min, summary.max].map(formatNumber);
  const spread = min === max ? '' : ` (${min}–${max})`;
  return `${label}: ${median}${unit.startsWith('/') || unit === '' ? unit : ` ${unit}`}${spread}`;
}

function measured({ measures }: Row, results: Results): string {
  const known = measures.map((one) => describe(one, results)).filter((text) => text !== undefined);
  return known.length > 0 ? known.join('; ') : 'not measured in this run';
}

/** "in part" when something of the goal was not measured and nothing missed it. */
export function reached({ measures }: Row, results: Results): string {
  const judged = measures.filter(({ atMost, atLeast }) => atMost !== undefined || atLeast !== undefined);
  const verdicts = judged.map((one) => ({ one, verdict: results.verdict(one) }));
  const missed = verdicts.filter(({ verdict }) => verdict === 'no');
  if (missed.length > 0) return `no: ${missed.map(({ one }) => one.label).join(', ')}`;
  if (verdicts.every(({ verdict }) => verdict === 'yes')) return 'yes';
  return verdicts.some(({ verdict }) => verdict === 'yes') ? 'in part' : '–';
}

function table(head: string[], lines: string[][]): string {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}

export function goalTable(rows: readonly Row[], results: Results): string {
  const lines = rows.map((row) => [row.figure, row.goal, measured(row, results), reached(row, results)]);
  return table(['figure', 'goal', 'measured: median (spread)', 'reached'], lines);
}

/** The sizes of several runs, each once. */
export function joinSizes(all: readonly Sizes[]): Sizes {
  const union = (lists: number[][]) => [...new Set(lists.flat())].toSorted((a, b) => a - b);
  return {
    launches: union(all.map(({ launches }) => launches)),
    populations: union(all.map(({ populations }) => populations)),
  };
}

/** Only what was measured. */
export function contextTable(rows: readonly Row[], results: Results): string {
  const lines = rows
    .filter(({ measures }) => measures.some(({ name }) => results.values(name).length > 0))
    .map((row) => [row.figure, measured(row, results)]);
  return table(['beside it', 'measured: median (spread)'], lines);
}

export function toReport(rows: readonly Row[], results: Results, machine: Machine, sizes: Sizes): Report {
  return {
    machine,
    sizes,
    rows: rows.map(({ figure, goal, measures }) => ({
      figure,
      goal,
      measures: measures.map((one) => ({
        ...one,
        values: [...results.values(one.name)],
        ...results.summary(one.name),
        reached: results.verdict(one) ?? null,
      })),
    })),
  };
}
