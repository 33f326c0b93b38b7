/**
 * Which keys to look at, and when. The contract of controller-runtime's queue: a key is in it once, is never handed out while
 * somebody works on it, and its backoff ends only with a success.
 */
export interface QueueOptions {
  /** Keys worked on at once. Default 16. */
  concurrency?: number;
  /** First pause after a failure; doubles up to `longestMs`. Defaults 200 ms and 30 s. */
  shortestMs?: number;
  longestMs?: number;
}

/** Served without a break, in ms. */
const TURN_MS = 10;
/** One in so many is of the settled, however much changes: nobody waits for ever. */
const SETTLED_EVERY = 4;

/** @returns when to look again, in ms; undefined: not before something changes. A rejection means: back off and retry. */
export type Work = (key: string) => Promise<number | undefined>;

export class Queue {
  readonly #work: Work;
  readonly #options: Required<QueueOptions>;
  /** Since when (on the clock of performance.now()). Insertion order is the order of service. */
  readonly #waiting = new Map<string, number>();
  /** The same of those that are looked at for no reason but a start. */
  readonly #settled = new Map<string, number>();
  readonly #active = new Map<string, Promise<void>>();
  /** Came again while being worked on. */
  readonly #dirty = new Set<string>();
  readonly #timers = new Map<string, { at: number; timer: NodeJS.Timeout }>();
  readonly #failures = new Map<string, number>();
  #served = 0;
  #running = false;
  #stopped = false;
  /** When this turn of the event loop has served enough, on the clock of performance.now(); 0: it has not served yet. */
  #turnEnds = 0;

  constructor(work: Work, { concurrency = 16, shortestMs = 200, longestMs = 30_000 }: QueueOptions = {}) {
    this.#work = work;
    this.#options = { concurrency, shortestMs, longestMs };
  }

  /**
   * Both together are all that there is: what came, or was to be looked at, while nothing was served is not remembered.
   * @param settled comes behind whatever changes meanwhile, but for one in four, as in the priority queue of controller-runtime:
   * thousands that have nothing to do keep nobody waiting for whom something has happened
   */
  start(keys: Iterable<string>, settled: Iterable<string> = []): void {
    if (this.#stopped) return;
    this.#running = true;
    for (const key of keys) this.add(key);
    const now = performance.now();
    for (const key of settled) {
      if (this.#active.has(key)) this.#dirty.add(key);
      else if (!this.#waiting.has(key)) this.#settled.set(key, now);
    }
    this.#serve();
  }

  /** Begins nothing more until it is started again. */
  pause(): void {
    this.#running = false;
    this.#waiting.clear();
    this.#settled.clear();
    this.#dirty.clear();
    this.#failures.clear();
    this.#clearTimers();
  }

  add(key: string): void {
    if (!this.#running) return;
    this.#settled.delete(key);
    if (this.#active.has(key)) this.#dirty.add(key);
    else if (!this.#waiting.has(key)) this.#waiting.set(key, performance.now());
    this.#serve();
  }

  /** How many keys wait for their turn, and for how long the first of them has; nothing while paused. */
  backlog(): { depth: number; oldestMs: number } {
    const oldest = Math.min(...[this.#waiting, this.#settled].map((keys) => keys.values().next().value ?? Infinity));
    if (!this.#running || oldest === Infinity) return { depth: 0, oldestMs: 0 };
    return { depth: this.#waiting.size + this.#settled.size, oldestMs: performance.now() - oldest };
  }

  /** The earliest of several wishes counts. */
  addAfter(key: string, delayMs: number): void {
    if (!this.#running) return;
    const at = performance.now() + delayMs;
    const pending = this.#timers.get(key);
    if (pending && pending.at <= at) return;
    clearTimeout(pending?.timer);
    const fire = () => {
      this.#timers.delete(key);
      this.add(key);
    };
    // Longer delays than setTimeout can count would fire at once.
    const timer = setTimeout(fire, Math.min(delayMs, 2 ** 31 - 1));
    this.#timers.set(key, { at, timer });
  }

  /** Takes nothing more, and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.pause();
    this.#stopped = true;
    await Promise.all(this.#active.values());
  }

  #clearTimers(): void {
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** A pass that has nothing to do never waits: thousands of them must not keep the event loop from everything else. */
  #isTurnOver(): boolean {
    const now = performance.now();
    if (this.#turnEnds === 0) {
      this.#turnEnds = now + TURN_MS;
      setImmediate(() => {
        this.#turnEnds = 0;
        this.#serve();
      });
    }
    return now >= this.#turnEnds;
  }

  #serve(): void {
    while (this.#running && this.#active.size < this.#options.concurrency) {
      const next = this.#next();
      if (next === undefined || this.#isTurnOver()) return;
      next.from.delete(next.key);
      this.#served += 1;
      this.#active.set(next.key, this.#handle(next.key));
    }
  }

  #next(): { from: Map<string, number>; key: string } | undefined {
    const isTurnOfSettled = this.#served % SETTLED_EVERY === SETTLED_EVERY - 1;
    for (const from of isTurnOfSettled ? [this.#settled, this.#waiting] : [this.#waiting, this.#settled]) {
      const { value: key } = from.keys().next();
      if (key !== undefined) return { from, key };
    }
    return undefined;
  }

  async #handle(key: string): Promise<void> {
    try {
      const again = await this.#work(key);
      this.#failures.delete(key);
      if (again !== undefined) this.addAfter(key, again);
    } catch (error) {
      this.addAfter(key, this.#pause(key, error));
    }
    this.#active.delete(key);
    if (this.#dirty.delete(key)) this.add(key);
    else this.#serve();
  }

  #pause(key: string, error: unknown): number {
    const { shortestMs, longestMs } = this.#options;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const backoff = Math.min(shortestMs * 2 ** Math.min(failures, 20), longestMs);
    const { retryAfterMs = 0, withinMs = Infinity } = (error ?? {}) as { retryAfterMs?: number; withinMs?: number };
    return Math.max(Math.min(backoff * (0.8 + Math.random() * 0.4), withinMs), retryAfterMs);
  }
}
