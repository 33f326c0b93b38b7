/** What a Prometheus reads: every series of /metrics with its value. */
export interface Scrape {
  text: string;
  series: { name: string; labels: Record<string, string>; value: number }[];
  /** The sum of the series of this name that have at least these labels; undefined: there is none. */
  value: (name: string, labels?: Record<string, string>) => number | undefined;
}

export async function scrape(health: string): Promise<Scrape> {
  const answer = await fetch(`${health}/metrics`);
  if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}`);
  const text = await answer.text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const series = lines.map(parseLine);
  return {
    text,
    series,
    value(name, labels = {}) {
      const wanted = Object.entries(labels);
      const found = series.filter(
        (one) => one.name === name && wanted.every(([label, value]) => one.labels[label] === value),
      );
      return found.length === 0 ? undefined : found.reduce((sum, one) => sum + one.value, 0);
    },
  };
}

function parseLine(line: string): Scrape['series'][number] {
  const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined) throw new Error(`This is no series: ${line}`);
  const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label!, text!]);
  return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
}
