/**
 * Keeps a collection equal to what the API server holds, and never gives up: list, watch from there, resume at every cut,
 * list anew when the server says that the place is lost (410) or the stream makes no sense. client-node's informer stops for
 * good at a 500, a reset or a failed list.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import type { KubeObject } from '../workbench/objects.ts';
import type { Collection } from './collection.ts';
import { KubeError, errorFromAnswer, isKubeError } from './errors.ts';
import type { KindInfo } from './kinds.ts';
import { errorFromCut, lines } from './lines.ts';
import type { Transport } from './transport.ts';

export interface ReflectorOptions<T extends KubeObject> {
  info: Pick<KindInfo<T>, 'kind' | 'trim'>;
  path: string;
  /** Optional, e.g. to watch one object by name. */
  fieldSelector?: string;
  transport: Transport;
  collection: Pick<Collection<T>, 'saw' | 'sawDeleted' | 'advance' | 'replace'>;
  signal: AbortSignal;
  onProblem: (problem: { kind: string; error: unknown; retryInMs: number }) => void;
  /** Called at every sign of life of the API server: a list, an event, a bookmark. */
  onHeard?: () => void;
  /**
   * No event for this long means a half-open connection, or a stream that is stuck; without events bookmarks come about once a
   * minute. Default 75 s: with the time that it takes to connect anew, nothing is missed for longer than 90 s.
   */
  silenceMs?: number;
  /** How old the last list may be when a watch ends, however it does, before all is listed anew. Default: any age. */
  relistAfterMs?: number;
  /** Longest pause between attempts. Default 30 s. */
  longestPauseMs?: number;
}

interface List<T> {
  metadata: { resourceVersion: string; continue?: string };
  items: T[] | null;
}

interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T;
}

/** Why all was listed: at first, since the place in the watch was lost, since it was time to, or since it was asked for. */
export const LIST_CAUSES = ['first', 'lost', 'due', 'asked'] as const;
export type ListCause = (typeof LIST_CAUSES)[number];

const PAGE = 500;
const SHORTEST_PAUSE_MS = 800;
const SHORTEST_WATCH_MS = 1_000;
const RELIST_AGAIN_MS = 60_000;

export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #synced = Promise.withResolvers<void>();
  /** Where to resume; undefined: list first. */
  #version: string | undefined;
  #failures = 0;
  #events = 0;
  #listedAt = 0;
  #listCause: ListCause = 'first';
  /** Where a watch stood that was well when a new list was wanted, should there be none to be had. */
  #stood: string | undefined;
  #listed = Promise.withResolvers<void>();
  #interrupt = new AbortController();
  isSynced = false;
  /** Whether a change would be told of now. */
  isWatching = false;
  /** Completed lists. */
  readonly lists: Record<ListCause, number> = { first: 0, lost: 0, due: 0, asked: 0 };
  /** Watches and lists that did not end as they should. */
  interruptions = 0;
  /** On the clock of performance.now(): when the API server last brought a list, an event or a bookmark. */
  lastHeardAt = 0;
  /** The same, refusals included: it knows of us, and a new connection would change nothing. */
  lastAnsweredAt = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  get kind(): string {
    return this.#options.info.kind;
  }

  /** Resolves after the first complete list. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Runs until the signal aborts. Never rejects. */
  async run(): Promise<void> {
    const { signal, onProblem, info } = this.#options;
    while (!signal.aborted) {
      try {
        if (this.#version !== undefined && this.#interrupt.signal.aborted) this.#relist('asked');
        else if (this.#version !== undefined && this.#untilDueMs() <= 0) this.#relist('due');
        if (this.#version === undefined) await this.#list();
        await this.#watch(this.#version!);
      } catch (error) {
        if (signal.aborted) return;
        if (this.#interrupt.signal.aborted && this.#version !== undefined) continue;
        this.interruptions += 1;
        if (isKubeError(error) && error.code > 0) this.#answered();
        // Only 410 and what cannot be understood cost a new list; after any other cut the place is still good.
        if (this.#version !== undefined && (!isKubeError(error) || error.kind === 'gone')) this.#relist('lost');
        else if (this.#version === undefined) this.#resumeInstead();
        const pause = this.#pause(error);
        onProblem({ kind: info.kind, error, retryInMs: pause });
        const sooner = AbortSignal.any([signal, this.#interrupt.signal]);
        await delay(pause, undefined, { signal: sooner }).catch(() => undefined);
      }
    }
  }

  #pause(error: unknown): number {
    const longest = this.#options.longestPauseMs ?? 30_000;
    const ceiling = Math.min(SHORTEST_PAUSE_MS * 2 ** this.#failures, longest);
    // The first resume after a healthy stretch is at once: a saturated server cuts watches, and every gap is lateness.
    const pause = this.#failures === 0 ? 0 : ceiling * (0.5 + Math.random() / 2);
    this.#failures = Math.min(this.#failures + 1, 10);
    return Math.max(pause, (error instanceof KubeError && error.retryAfterMs) || 0);
  }

  /** Lists anew and resolves when that is done; at once if the last list is not older than `maxAgeMs`. */
  async refresh(maxAgeMs = 5_000): Promise<void> {
    if (performance.now() - this.#listedAt <= maxAgeMs) return;
    this.#interrupt.abort();
    await this.#listed.promise;
  }

  #relist(cause: ListCause): void {
    this.#stood = cause === 'due' ? this.#version : undefined;
    this.#version = undefined;
    this.#listCause = cause;
  }

  /** A list that was only due cannot be had: the watch is still good, and the list is tried again a minute later. */
  #resumeInstead(): void {
    if (this.#stood === undefined) return;
    [this.#version, this.#stood] = [this.#stood, undefined];
    this.#listedAt = performance.now() - (this.#options.relistAfterMs ?? Infinity) + RELIST_AGAIN_MS;
  }

  #untilDueMs(): number {
    return this.#listedAt + (this.#options.relistAfterMs ?? Infinity) - performance.now();
  }

  async #list(): Promise<void> {
    const { transport, path, collection, info, signal, fieldSelector } = this.#options;
    // Who asks from here on asks for another list than this.
    const asked = this.#listed;
    this.#listed = Promise.withResolvers();
    this.#interrupt = new AbortController();
    void this.#listed.promise.then(asked.resolve);
    const objects: T[] = [];
    let next: string | undefined;
    let version: string;
    do {
      const query = { limit: PAGE, continue: next, fieldSelector };
      // On a connection that is dead none comes, and who waits, such as a new leader, does nothing meanwhile.
      const page: List<T> = await transport.call<List<T>>('GET', path, { query, signal, timeoutMs: 30_000 });
      this.#answered();
      objects.push(...(page.items ?? []).map((object) => info.trim(object)));
      version = page.metadata.resourceVersion;
      next = page.metadata.continue || undefined;
    } while (next);
    collection.replace(objects, version);
    this.#version = version;
    this.lists[this.#listCause] += 1;
    this.#listedAt = performance.now();
    this.#stood = undefined;
    asked.resolve();
    this.#heard();
    this.isSynced = true;
    this.#synced.resolve();
  }

  async #watch(from: string): Promise<void> {
    const { transport, path, silenceMs = 75_000, signal, fieldSelector } = this.#options;
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error(`no event for ${silenceMs} ms`)), silenceMs);
    let body: Readable | undefined;
    try {
      // Spread over minutes, so that a thousand watches do not end together.
      const longestSeconds = 240 + Math.random() * 240;
      const timeoutSeconds = Math.max(Math.ceil(Math.min(longestSeconds, this.#untilDueMs() / 1_000)), 1);
      const query = {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: from,
        timeoutSeconds,
        fieldSelector,
      };
      const [opened, before] = [performance.now(), this.#events];
      body = await transport.stream(path, {
        query,
        signal: AbortSignal.any([signal, silence.signal, this.#interrupt.signal]),
      });
      this.#answered();
      this.isWatching = true;
      for await (const line of lines(body)) {
        // Not at every byte: a line that never ends would keep a watch blind for ever.
        timer.refresh();
        this.#take(line);
      }
      // Ended at once and empty, again and again, is what a draining server or a proxy does: not to be answered at full speed.
      if (this.#events === before && performance.now() - opened < SHORTEST_WATCH_MS)
        throw errorFromCut('it ended at once');
    } finally {
      clearTimeout(timer);
      // The silence of a watch was itself the pause: another one after it would leave the watch blind for longer than is promised.
      if (silence.signal.aborted && this.isWatching) this.#failures = 0;
      this.isWatching = false;
      body?.destroy();
    }
  }

  #take(line: string): void {
    if (line === '') return;
    const event = JSON.parse(line) as WatchEvent<T>;
    const { collection, info } = this.#options;
    if (event.type === 'ERROR') {
      const status = event.object as unknown as { code?: number };
      throw errorFromAnswer(status.code === 410 ? 410 : (status.code ?? 500), status);
    }
    this.#heard();
    this.#failures = 0;
    this.#events += 1;
    const version = event.object.metadata.resourceVersion;
    if (event.type === 'BOOKMARK') collection.advance(version);
    else if (event.type === 'DELETED') collection.sawDeleted(info.trim(event.object));
    else collection.saw(info.trim(event.object));
    if (version) this.#version = version;
  }

  #heard(): void {
    this.#answered();
    this.lastHeardAt = this.lastAnsweredAt;
    this.#options.onHeard?.();
  }

  #answered(): void {
    this.lastAnsweredAt = performance.now();
  }
}
