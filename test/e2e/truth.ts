/**
 * Does the status tell the truth? A sample every 50 ms: what REST says of a workbench and, when it says running, whether its
 * page opens. An untruth is a page that did not open with "running" said before it was asked, after it had answered, and all
 * the while.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../client.ts';
import { open } from './browser.ts';

const EVERY_MS = 50;
/** Pages that are asked for at once are not answered in turn: what did not open this soon after another is of the same spell. */
const APART_MS = 1_000;

/** From the first page that did not open beside "running" to the last of that spell. */
export interface Untruth {
  ms: number;
  got: string[];
}

export interface Testimony {
  samples: number;
  running: number;
  untruths: Untruth[];
  /** Each status, and its reason, in the order in which they were said. */
  said: string[];
}

export interface Witness {
  /** Ends the sampling. */
  testify: () => Promise<Testimony>;
}

export function witness(client: Client, id: string, url: string): Witness {
  const samples: Promise<Sample>[] = [];
  const said: string[] = [];
  const ended = new AbortController();

  async function sample(): Promise<Sample> {
    const at = performance.now();
    if ((await statusOf()) !== 'running') return { at, isRunning: false };
    const before = said.length;
    const page = await open(url);
    if (page.status === 200 && page.id === id) return { at, isRunning: true };
    if ((await statusOf()) !== 'running' || said.length !== before) return { at, isRunning: false };
    return { at, isRunning: true, got: `${page.status} ${page.state ?? ''}`.trim() };
  }

  async function statusOf(): Promise<string> {
    const item = await client.get(id);
    const words = [item.status, item.status_reason].filter(Boolean).join(' ');
    if (said.at(-1) !== words) said.push(words);
    return item.status;
  }

  const sampling = (async () => {
    while (!ended.signal.aborted) {
      samples.push(sample());
      await delay(EVERY_MS);
    }
  })();
  return {
    async testify() {
      ended.abort();
      await sampling;
      const all = await Promise.all(samples);
      const running = all.filter(({ isRunning }) => isRunning).length;
      return { samples: all.length, running, untruths: untruthsIn(all), said };
    },
  };
}

interface Sample {
  at: number;
  isRunning: boolean;
  /** What came instead of the page. */
  got?: string;
}

/** In the order in which the samples were begun. */
function untruthsIn(samples: Sample[]): Untruth[] {
  const untruths: Untruth[] = [];
  let [first, last] = [0, -Infinity];
  for (const { at, got } of samples) {
    if (got === undefined) continue;
    if (at - last > APART_MS) {
      untruths.push({ ms: 0, got: [] });
      first = at;
    }
    last = at;
    const untruth = untruths.at(-1)!;
    // The last sample of a spell stands for the time until the next one.
    untruth.ms = Math.round(at - first) + EVERY_MS;
    if (!untruth.got.includes(got)) untruth.got.push(got);
  }
  return untruths;
}
