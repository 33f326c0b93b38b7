/** One reflector per kind, all feeding one store. */
import type { Logger } from 'pino';
import type { KubeObject } from '../workbench/objects.ts';
import { KINDS, collectionPath } from './kinds.ts';
import type { Kind, KindInfo } from './kinds.ts';
import type { Collection } from './collection.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './reflector.ts';
import type { Store } from './store.ts';

/** What all watches have in common. */
export type WatchOptions = Pick<ReflectorOptions<KubeObject>, 'transport' | 'onHeard' | 'silenceMs' | 'relistAfterMs'>;

export interface ReflectAllOptions {
  watch: WatchOptions;
  store: Store;
  namespace: string;
  log: Logger;
  signal: AbortSignal;
}

/** A bookmark comes each minute. */
const SILENCE_MS = 75_000;

/** What can be asked of a watch at any time. */
export type Watch = Pick<Reflector<KubeObject>, 'kind' | 'lastHeardAt' | 'lastAnsweredAt' | 'lists' | 'interruptions'>;

export interface Reflectors {
  watches: readonly Watch[];
  /** Whether what was told of a kind is good enough to decide a right by. */
  isCurrent: (kind: Kind) => boolean;
  /** Resolves when every kind has been listed once. */
  synced: Promise<unknown>;
  /** Resolves when every kind has been listed anew, but for what was listed a moment ago. */
  refresh: () => Promise<unknown>;
  /** The kinds that have not been listed yet. */
  unsynced: () => string[];
  /** Resolves after the signal has aborted. */
  ended: Promise<unknown>;
}

export function reflectAll({ watch, store, namespace, log, signal }: ReflectAllOptions): Reflectors {
  const reflectors = (Object.keys(KINDS) as Kind[]).map(
    (kind) =>
      new Reflector<KubeObject>({
        ...watch,
        info: KINDS[kind] as KindInfo<KubeObject>,
        path: collectionPath(kind, namespace),
        collection: store.collections[kind] as unknown as Collection<KubeObject>,
        signal,
        onProblem: ({ error, retryInMs }) => {
          log.warn({ kind, retryInMs: Math.round(retryInMs), error: (error as Error).message }, 'watch interrupted');
        },
      }),
  );
  return {
    watches: reflectors,
    isCurrent(kind) {
      const { isWatching, lastHeardAt } = reflectors.find((reflector) => reflector.kind === KINDS[kind].kind)!;
      return isWatching && performance.now() - lastHeardAt < (watch.silenceMs ?? SILENCE_MS);
    },
    synced: Promise.all(reflectors.map(({ synced }) => synced)),
    refresh: () => Promise.all(reflectors.map((reflector) => reflector.refresh())),
    unsynced: () => reflectors.filter(({ isSynced }) => !isSynced).map(({ kind }) => KINDS[kind as Kind].plural),
    ended: Promise.all(reflectors.map((reflector) => reflector.run())),
  };
}
