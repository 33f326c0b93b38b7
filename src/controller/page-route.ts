/** Keeps the Ingress of the state page, in the controller's own namespace, as the settings say. */
import type { Logger } from 'pino';
import { Cluster } from '../kube/cluster.ts';
import { isKubeError } from '../kube/errors.ts';
import { KINDS, collectionPath } from '../kube/kinds.ts';
import type { Watch, WatchOptions } from '../kube/reflect-all.ts';
import { Reflector } from '../kube/reflector.ts';
import { Store } from '../kube/store.ts';
import { buildPageIngress, mendIngress } from '../workbench/ingress.ts';
import type { Ingress } from '../workbench/objects.ts';
import type { Settings } from '../workbench/settings.ts';
import { Queue } from './queue.ts';

export interface PageRouteOptions {
  watch: WatchOptions;
  namespace: string;
  service: string;
  port: number;
  settings: Settings;
  log: Logger;
  signal: AbortSignal;
}

export interface PageRoute {
  watch: Watch;
  /** Watches until the signal aborts. */
  run(): Promise<void>;
  /** Mends from now on, and until `pause`. */
  start(): void;
  pause(): void;
}

export function createPageRoute(options: PageRouteOptions): PageRoute {
  const { watch, namespace, service, port, settings, log, signal } = options;
  const wanted = buildPageIngress(namespace, service, port, settings);
  const { name } = wanted.metadata;

  async function mend(): Promise<undefined> {
    const live = store.collections.Ingress.get(name);
    if (live?.metadata.deletionTimestamp) return;
    const patch = live ? mendIngress(live, wanted, settings) : [];
    try {
      if (!live) await cluster.create('Ingress', wanted);
      else if (patch.length > 0) await cluster.patch('Ingress', name, live.metadata.uid!, patch);
    } catch (error) {
      // Another replica was quicker; the watch brings its object.
      if (isKubeError(error, 'alreadyExists')) return;
      log.warn(
        { namespace, ingress: name, error: (error as Error).message },
        'the route of the state page could not be written',
      );
      throw error;
    }
  }

  // A small world of its own: one namespace, one object.
  const store = new Store();
  const cluster = new Cluster(watch.transport, store, namespace);
  const queue = new Queue(mend);
  store.onChange((changed) => queue.add(changed));
  const reflector = new Reflector<Ingress>({
    ...watch,
    info: { ...KINDS.Ingress, kind: 'PageIngress' },
    path: collectionPath('Ingress', namespace),
    fieldSelector: `metadata.name=${name}`,
    collection: store.collections.Ingress,
    signal,
    onProblem: ({ error, retryInMs }) =>
      log.warn({ namespace, retryInMs, error: String(error) }, 'watch of the page route'),
  });
  let isActing = false;

  function start(): void {
    isActing = true;
    if (!reflector.isSynced) return;
    queue.start([name]);
  }

  return {
    watch: reflector,
    start,
    pause() {
      isActing = false;
      queue.pause();
    },
    async run() {
      const watching = reflector.run();
      await Promise.race([reflector.synced, watching]);
      if (isActing) start();
      await watching;
      await queue.stop();
    },
  };
}
