/**
 * Writes Events (events.k8s.io) about Workbenches: nobody waits for it, and it never costs more than its budget. What is over
 * it is dropped, good news before bad; what comes again is counted on the Event that is there, at ever longer steps.
 */
import type { News } from '../workbench/events.ts';
import { runOf, uidOf } from '../workbench/identity.ts';
import { API_VERSION, GROUP, KIND } from '../workbench/resource.ts';
import type { Workbench } from '../workbench/resource.ts';
import { isKubeError } from './errors.ts';
import { microTime } from './micro-time.ts';
import type { Transport } from './transport.ts';

export interface EventRecorderOptions {
  transport: Transport;
  namespace: string;
  /** Of this replica. */
  instance: string;
  /** Writes per second in the long run; ten times as many at once. 0: none. */
  perSecond: number;
  onProblem: (error: unknown) => void;
}

/** One Event, and how often it has happened. Times are on the clock of performance.now(). */
interface Series {
  name: string;
  count: number;
  seenAt: number;
  writtenAt: number;
}

/** What is still to be sent, and of which series. */
interface Write {
  key: string;
  write: () => Promise<void>;
}

/** The same after so long is another Event. */
const SERIES_MS = 10 * 60_000;
/** Between two writes of one series, unless its count is a power of two. */
const SPARSE_MS = 60_000;
/** As many are remembered; a forgotten one begins anew. */
const MOST_SERIES = 1_000;
/** This part of the budget is for warnings alone. */
const RESERVE = 0.2;
const TIMEOUT_MS = 5_000;

export class EventRecorder {
  /** Writes since the start: done, left out for the budget or the end of the lease, and tried in vain. */
  readonly counts = { written: 0, dropped: 0, failed: 0 };
  readonly #options: EventRecorderOptions;
  readonly #path: string;
  readonly #burst: number;
  readonly #series = new Map<string, Series>();
  /** One write after the other, so that passes keep the connections; warnings first. */
  readonly #waiting: Record<News['type'], Write[]> = { Warning: [], Normal: [] };
  #sending: Promise<void> | undefined;
  #budget: { tokens: number; at: number };

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(options.namespace)}/events`;
    this.#burst = options.perSecond === 0 ? 0 : Math.max(options.perSecond * 10, 1);
    this.#budget = { tokens: this.#burst, at: performance.now() };
  }

  /** Returns at once and throws nothing. */
  record(workbench: Workbench, news: readonly News[]): void {
    if (this.#burst === 0) return;
    for (const [index, item] of news.entries()) this.#take(workbench, item, index);
  }

  /** Another replica acts: what is not written yet is left out. */
  pause(): void {
    for (const writes of Object.values(this.#waiting)) {
      for (const { key } of writes.splice(0)) {
        // It may be told anew, and there is perhaps no such Event to count it on.
        this.#series.delete(key);
        this.counts.dropped += 1;
      }
    }
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.pause();
    await this.#sending;
  }

  #take(workbench: Workbench, news: News, index: number): void {
    // A start that was asked for is a story of its own, to be read in its order.
    const key = [uidOf(workbench), runOf(workbench), news.reason, news.note].join(' ');
    const now = performance.now();
    const known = this.#series.get(key);
    const series = known && now - known.seenAt < SERIES_MS ? known : undefined;
    if (series) {
      series.count += 1;
      series.seenAt = now;
      if (!isPowerOfTwo(series.count) && now - series.writtenAt < SPARSE_MS) return;
    }
    if (!this.#spend(news.type, now)) {
      this.counts.dropped += 1;
      return;
    }
    if (series) {
      series.writtenAt = now;
      const { name, count } = series;
      const body = { series: { count, lastObservedTime: microTime(Date.now()) } };
      const contentType = 'application/merge-patch+json';
      this.#send(key, news.type, () => this.#call('PATCH', `${this.#path}/${name}`, { body, contentType }));
    } else {
      const event = this.#eventOf(workbench, news, index);
      this.#remember(key, { name: event.metadata.name, count: 1, seenAt: now, writtenAt: now });
      this.#send(key, news.type, () => this.#call('POST', this.#path, { body: event }));
    }
  }

  /** A bucket of tokens, in which a part is kept for warnings. */
  #spend(type: News['type'], now: number): boolean {
    const { perSecond } = this.#options;
    const { tokens, at } = this.#budget;
    const filled = Math.min(tokens + ((now - at) / 1000) * perSecond, this.#burst);
    const isAffordable = filled >= 1 + (type === 'Warning' ? 0 : Math.floor(this.#burst * RESERVE));
    const isTaken = isAffordable && this.#waiting[type].length < this.#burst;
    this.#budget = { tokens: filled - (isTaken ? 1 : 0), at: now };
    return isTaken;
  }

  #remember(key: string, series: Series): void {
    this.#series.delete(key);
    this.#series.set(key, series);
    if (this.#series.size > MOST_SERIES) this.#series.delete(this.#series.keys().next().value!);
  }

  #send(key: string, type: News['type'], write: () => Promise<void>): void {
    this.#waiting[type].push({ key, write });
    this.#sending ??= this.#run();
  }

  async #run(): Promise<void> {
    const { Warning, Normal } = this.#waiting;
    const next = () => Warning.shift() ?? Normal.shift();
    for (let one = next(); one; one = next()) {
      try {
        await one.write();
        this.counts.written += 1;
      } catch (error) {
        // Perhaps there is no such Event; the next time begins one.
        this.#series.delete(one.key);
        this.counts.failed += 1;
        this.#options.onProblem(error);
      }
    }
    this.#sending = undefined;
  }

  /** Once more after a lost answer: the name says whether it is there already. */
  async #call(method: 'POST' | 'PATCH', path: string, options: { body: object; contentType?: string }): Promise<void> {
    const call = () =>
      this.#options.transport.call(method, path, { ...options, timeoutMs: TIMEOUT_MS }).catch((error: unknown) => {
        if (!isKubeError(error, 'alreadyExists')) throw error;
      });
    await call().catch((error: unknown) => (isKubeError(error, 'unreachable') ? call() : Promise.reject(error)));
  }

  /**
   * Named by its time, as client-go does: `kubectl describe` shows Events of this API in the order of their names, since the
   * field that it sorts by may not be set.
   */
  #eventOf(workbench: Workbench, news: News, index: number) {
    const { namespace, instance } = this.#options;
    const { name, uid } = workbench.metadata;
    const now = Date.now();
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${name}.${(now * 1000 + index).toString(16)}`, namespace },
      eventTime: microTime(now, index),
      reportingController: `${GROUP}/controller`,
      reportingInstance: instance.slice(0, 128),
      action: 'Reconcile',
      ...news,
      regarding: { apiVersion: API_VERSION, kind: KIND, namespace, name, uid },
    };
  }
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}
