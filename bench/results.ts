/** What has been measured so far: a list of values for each measure, one for each run. */
import type { Measure, Row, Sizes } from './goals.ts';
import type { Machine } from './machine.ts';
import { summarize } from './statistics.ts';
import type { Summary } from './statistics.ts';

/** As JSON. */
export interface Report {
  machine: Machine;
  sizes: Sizes;
  rows: {
    figure: string;
    goal: string;
    measures: (Measure & Partial<Summary> & { values: number[]; reached: Verdict | null })[];
  }[];
}

export type Verdict = 'yes' | 'no' | undefined;

export class Results {
  readonly #values: Map<string, number[]>;

  constructor(rows: readonly Row[]) {
    this.#values = new Map(rows.flatMap(({ measures }) => measures.map(({ name }) => [name, []])));
  }

  /** @throws Error for a name that is in no row */
  add(name: string, value: number): void {
    const values = this.#values.get(name);
    if (!values) throw new Error(`No row of the table has a measure "${name}".`);
    if (!Number.isFinite(value)) throw new Error(`"${name}" was measured as ${value}.`);
    values.push(value);
  }

  /** What an earlier run has written as JSON. */
  join({ rows }: Pick<Report, 'rows'>): void {
    for (const { measures } of rows)
      for (const { name, values } of measures) for (const value of values) this.add(name, value);
  }

  values(name: string): readonly number[] {
    return this.#values.get(name) ?? [];
  }

  summary(name: string): Summary | undefined {
    return summarize(this.values(name));
  }

  /** By the median; undefined where there is no limit or no value. */
  verdict({ name, atMost, atLeast }: Measure): Verdict {
    const median = this.summary(name)?.median;
    if (median === undefined || (atMost === undefined && atLeast === undefined)) return undefined;
    return median <= (atMost ?? Infinity) && median >= (atLeast ?? -Infinity) ? 'yes' : 'no';
  }
}
