/** When: a change in the store, a time that has come, or the end of a backoff leads to one pass over one Workbench. */
import type { Logger } from 'pino';
import type { Cluster } from '../kube/cluster.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import type { Store } from '../kube/store.ts';
import type { Settings } from '../workbench/settings.ts';
import { Admission } from './admission.ts';
import { Hold } from './hold.ts';
import { Images } from './images.ts';
import { Launches } from './launches.ts';
import type { Launch } from './launches.ts';
import { byNeed } from './order.ts';
import { Queue } from './queue.ts';
import { PassError, reconcile } from './reconcile.ts';
import type { Registry } from '../registry/registry.ts';
import { Trouble } from './trouble.ts';
import { Verifier } from './verify.ts';
import type { VerifierOptions } from './verify.ts';

/** How a pass ended: all done, refused by the API server in words for a person, or failed and to be tried again. */
export const PASS_OUTCOMES = ['done', 'refused', 'failed'] as const;

export interface Pass {
  outcome: (typeof PASS_OUTCOMES)[number];
  ms: number;
}

export interface ControllerOptions {
  store: Store;
  cluster: Cluster;
  recorder: EventRecorder;
  settings: Settings;
  log: Logger;
  registry: Registry;
  /** How often it is asked for newer images of what runs; ms. */
  registryEveryMs: number;
  verifyAddress?: string;
  verifyCount: number;
  /** As the endpoint check has it. */
  probe?: VerifierOptions['probe'];
  /** Told of every pass, and of each phase that a launch reaches; must not throw. */
  onPass: (pass: Pass) => void;
  onLaunch: (launch: Launch) => void;
}

export interface Controller extends Pick<Queue, 'backlog'> {
  /** Call when the store is synced: a decision on half of the world would double things. */
  start(): void;
  /** Another replica acts; with the next start everything is looked at. */
  pause(): void;
  /** Resolves when the passes under way have ended. */
  stop(): Promise<void>;
}

export function createController(options: ControllerOptions): Controller {
  const { store, cluster, recorder, settings, log } = options;
  const queue = new Queue(async (key) => {
    const began = performance.now();
    let outcome: Pass['outcome'] = 'done';
    try {
      return await reconcile(key, {
        store,
        cluster,
        settings,
        admission,
        hold,
        images,
        launches,
        trouble,
        verifier,
        recorder,
        now: Date.now,
      });
    } catch (error) {
      outcome = error instanceof PassError && error.isRefusal ? 'refused' : 'failed';
      const level = outcome === 'refused' ? 'info' : 'warn';
      log[level]({ workbench: key, error: (error as Error).message }, 'will be tried again');
      throw error;
    } finally {
      options.onPass({ outcome, ms: performance.now() - began });
    }
  });
  const admission = new Admission(store, settings);
  const hold = new Hold();
  const launches = new Launches(options.onLaunch);
  const trouble = new Trouble();
  const verifier = new Verifier({
    settings,
    count: options.verifyCount,
    ...(options.verifyAddress ? { address: options.verifyAddress } : {}),
    ...(options.probe ? { probe: options.probe } : {}),
    onChange: (key) => queue.add(key),
  });
  const images = new Images({
    registry: options.registry,
    everyMs: options.registryEveryMs,
    onChange: (key) => queue.add(key),
    onProblem: (registry, error) =>
      log.info({ registry, error: error.message }, 'a registry cannot be asked for a digest; the tag is run'),
  });
  store.onChange((key) => queue.add(key));
  return {
    backlog: () => queue.backlog(),
    start() {
      const { waiting, settled } = byNeed(store.collections.Workbench.values());
      queue.start(waiting, settled);
    },
    pause() {
      queue.pause();
      hold.forgetAll();
      trouble.forgetAll();
      verifier.forgetAll();
      images.forgetAll();
      launches.forgetAll();
      recorder.pause();
    },
    async stop() {
      await queue.stop();
      images.forgetAll();
      await verifier.stop();
      await recorder.stop();
    },
  };
}
