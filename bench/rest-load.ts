/**
 * A load on one URL, as a process of its own: 32 connections, each with one request at a time, as fast as they are answered.
 * undici's lowest call, since whatever the generator spends is missing on the other core.
 */
import { Pool } from 'undici';
import { percentile } from './statistics.ts';

export interface Load {
  /** Answers, with those of the first second, which is not in the other figures. */
  inAll: number;
  failed: number;
  perSecond: number;
  /** ms */
  p50: number;
  p99: number;
}

const CONNECTIONS = 32;

const [target, ms] = process.argv.slice(2);
const url = new URL(target!);
const pool = new Pool(url.origin, { connections: CONNECTIONS, pipelining: 1 });
const times: number[] = [];
let failed = 0;

function ask(until: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = () => {
      const began = performance.now();
      if (began >= until) return resolve();
      pool.dispatch(
        { path: url.pathname + url.search, method: 'GET' },
        {
          // undici asks for every one of them.
          onRequestStart: () => undefined,
          onResponseStart: (_controller, status) => void (failed += status === 200 ? 0 : 1),
          onResponseData: () => undefined,
          onResponseEnd() {
            times.push(performance.now() - began);
            next();
          },
          onResponseError: (_controller, error) => reject(error),
        },
      );
    };
    next();
  });
}

async function run(forMs: number): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, () => ask(began + forMs)));
  return performance.now() - began;
}

// Both sides compile what is hot before it counts.
await run(1_000);
const early = times.length;
times.length = 0;
const took = await run(Number(ms));
const load: Load = {
  inAll: early + times.length,
  failed,
  perSecond: (times.length * 1_000) / took,
  p50: percentile(times, 50),
  p99: percentile(times, 99),
};
process.stdout.write(JSON.stringify(load));
await pool.destroy();
