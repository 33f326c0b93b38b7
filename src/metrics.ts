/**
 * What a Prometheus scrapes. Nobody else knows of prom-client: the modules tell what happens, or can be asked at any time, and
 * main.ts connects the two. No label holds what a user chose, so the number of series is bounded.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { LAUNCH_PHASES } from './controller/launches.ts';
import type { Launch } from './controller/launches.ts';
import { PASS_OUTCOMES } from './controller/controller.ts';
import type { Controller, Pass } from './controller/controller.ts';
import type { Call } from './kube/call.ts';
import type { EventRecorder } from './kube/event-recorder.ts';
import { KINDS } from './kube/kinds.ts';
import type { Kind } from './kube/kinds.ts';
import type { Lease } from './kube/lease.ts';
import type { Watch } from './kube/reflect-all.ts';
import { LIST_CAUSES } from './kube/reflector.ts';
import type { Store } from './kube/store.ts';
import { PHASES } from './workbench/resource.ts';

const PREFIX = 'workbench_controller_';

/** Asked at each scrape. */
export interface Sources {
  store: Store;
  watches: readonly Watch[];
  lease: Pick<Lease, 'remainingMs'>;
  controller: Pick<Controller, 'backlog'>;
  recorder: Pick<EventRecorder, 'counts'>;
}

export interface Metrics {
  onCall: (call: Call) => void;
  onPass: (pass: Pass) => void;
  onLaunch: (launch: Launch) => void;
  onLeaseFailure: () => void;
  onLeaseTransition: (to: 'acting' | 'waiting') => void;
  /** To be called once, when there is something to ask. */
  observe: (sources: Sources) => void;
  /** In Prometheus's text format. */
  render: () => Promise<{ contentType: string; text: string }>;
  registry: Registry;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  // Twenty looks a second, a fifth of the default: at rest they are most of what this process does.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  const common = (name: string, help: string) => ({ name: PREFIX + name, help, registers: [registry] });

  const apiCalls = new Counter({
    ...common('api_calls_total', 'Requests to the API server that have ended; code "none": without an answer'),
    labelNames: ['verb', 'resource', 'code'],
  });
  const apiSeconds = new Histogram({
    ...common(
      'api_call_duration_seconds',
      'Requests to the API server until the whole answer was there; of a watch, until it began',
    ),
    labelNames: ['verb', 'resource'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
  });
  const passSeconds = new Histogram({
    ...common(
      'reconcile_duration_seconds',
      'Passes over a workbench: done, refused (its status says why) or failed (tried again)',
    ),
    labelNames: ['outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15],
  });
  const launchSeconds = new Histogram({
    ...common(
      'launch_duration_seconds',
      'Launches from their first pass until they first reached a phase; Running or Failed is the end',
    ),
    labelNames: ['phase'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600],
  });
  const leaseFailures = new Counter(common('lease_failures_total', 'Reads and renewals of the lease that failed'));
  const leaseTransitions = new Counter({
    ...common('lease_transitions_total', 'How often this replica began to act, or to wait'),
    labelNames: ['to'],
  });
  // From the start on, so that the first of each kind is an increase that a query can see.
  for (const outcome of PASS_OUTCOMES) passSeconds.zero({ outcome });
  for (const phase of LAUNCH_PHASES) launchSeconds.zero({ phase });
  for (const to of ['acting', 'waiting']) leaseTransitions.inc({ to }, 0);

  function observe({ store, watches, lease, controller, recorder }: Sources): void {
    new Gauge({
      ...common('leader', '1 while this replica acts, else 0'),
      collect() {
        this.set(lease.remainingMs() > 0 ? 1 : 0);
      },
    });
    new Gauge({
      ...common('queue_depth', 'Workbenches that wait for a pass'),
      collect() {
        this.set(controller.backlog().depth);
      },
    });
    new Gauge({
      ...common('queue_oldest_age_seconds', 'How long the first of them has waited'),
      collect() {
        this.set(controller.backlog().oldestMs / 1_000);
      },
    });
    new Gauge({
      ...common('workbenches', 'Workbenches by phase'),
      labelNames: ['phase'],
      collect() {
        const counts = new Map<string, number>(PHASES.map((phase) => [phase, 0]));
        for (const { status } of store.collections.Workbench.values()) {
          const phase = status?.phase ?? 'Starting';
          counts.set(phase, (counts.get(phase) ?? 0) + 1);
        }
        for (const [phase, count] of counts) this.set({ phase }, count);
      },
    });
    new Gauge({
      ...common('store_objects', 'Objects held in memory'),
      labelNames: ['kind'],
      collect() {
        for (const kind of Object.keys(KINDS) as Kind[]) this.set({ kind }, store.collections[kind].size);
      },
    });
    new Gauge({
      ...common('watch_last_event_age_seconds', 'Since the API server last brought a list, an event or a bookmark'),
      labelNames: ['kind'],
      collect() {
        for (const { kind, lastHeardAt } of watches) this.set({ kind }, (performance.now() - lastHeardAt) / 1_000);
      },
    });
    new Counter({
      ...common(
        'watch_lists_total',
        'Complete lists, by cause: first, lost (the place in the watch), due (in time), asked (a new leader)',
      ),
      labelNames: ['kind', 'cause'],
      collect() {
        this.reset();
        for (const { kind, lists } of watches) for (const cause of LIST_CAUSES) this.inc({ kind, cause }, lists[cause]);
      },
    });
    new Counter({
      ...common('watch_interruptions_total', 'Watches and lists that did not end as they should'),
      labelNames: ['kind'],
      collect() {
        this.reset();
        for (const { kind, interruptions } of watches) this.inc({ kind }, interruptions);
      },
    });
    new Counter({
      ...common('events_total', 'Events on workbenches: written, dropped (over the budget, or late) or failed'),
      labelNames: ['outcome'],
      collect() {
        this.reset();
        for (const [outcome, count] of Object.entries(recorder.counts)) this.inc({ outcome }, count);
      },
    });
  }

  return {
    onCall({ verb, resource, code, ms }) {
      apiCalls.inc({ verb, resource, code: code || 'none' });
      apiSeconds.observe({ verb, resource }, ms / 1_000);
    },
    onPass: ({ outcome, ms }) => passSeconds.observe({ outcome }, ms / 1_000),
    onLaunch: ({ phase, ms }) => launchSeconds.observe({ phase }, ms / 1_000),
    onLeaseFailure: () => leaseFailures.inc(),
    onLeaseTransition: (to) => leaseTransitions.inc({ to }),
    observe,
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    registry,
  };
}
