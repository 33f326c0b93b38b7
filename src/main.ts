/** Wiring: environment → transport → store → controller, REST facade, state page, health, metrics → SIGTERM. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError, readEnvironment, settingsFrom } from './config.ts';
import { entranceFrom } from './entrance.ts';
import type { Environment } from './environment.ts';
import { createController } from './controller/controller.ts';
import { createPageRoute } from './controller/page-route.ts';
import { Cluster } from './kube/cluster.ts';
import type { Call } from './kube/call.ts';
import { connect } from './kube/connect.ts';
import { Contact } from './kube/contact.ts';
import { EventRecorder } from './kube/event-recorder.ts';
import { Lease, fenced } from './kube/lease.ts';
import { reflectAll } from './kube/reflect-all.ts';
import { PullSecrets } from './kube/pull-secrets.ts';
import { Store } from './kube/store.ts';
import { createTransport } from './kube/transport.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { Registry } from './registry/registry.ts';
import { Access } from './rest/access.ts';
import { createApp } from './rest/app.ts';
import { createHeld } from './rest/held.ts';
import { createHealthServer } from './rest/health.ts';
import { createJsonServer, drain, listen } from './rest/server.ts';
import { Shares } from './rest/shares.ts';
import { Volumes } from './rest/volumes.ts';
import { Workbenches } from './rest/workbenches.ts';

/** ms */
const PATIENCE = {
  // A client that sends its request slower than this is cut off.
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  // Longer than clients and load balancers keep a connection for another request, which would be lost if it met the end.
  keepAliveTimeout: 75_000,
};

/** How long a pass that is under way may still write when this process is asked to end. */
const LAST_WRITES_MS = 1_000;

async function main(env: Environment): Promise<void> {
  const log = createLogger(env.LOG_LEVEL);
  const settings = settingsFrom(env);
  const stopping = new AbortController();
  const stopped = Promise.race(['SIGTERM', 'SIGINT'].map((signal) => once(process, signal)));

  const replica = env.POD_NAME ?? hostname();
  const userAgent = `workbench-controller (${replica})`;
  const metrics = createMetrics();
  const contact = new Contact(env.WB_BLIND_AFTER * 1000);
  const onCall = (call: Call) => {
    if (call.code > 0) contact.answered();
    metrics.onCall(call);
  };
  const transport = createTransport(connect(), userAgent, onCall);
  // On connections of its own: a renewal must not wait for anything else.
  const leaseTransport = createTransport(connect(), userAgent, onCall);
  const lease = new Lease({
    transport: leaseTransport,
    namespace: env.CONTROLLER_NAMESPACE,
    // Not a name that kustomize knows: it would write a ConfigMap's hash into the Role.
    name: 'workbench-controller-leader',
    identity: replica,
    durationMs: env.WB_LEASE_DURATION * 1000,
    deadlineMs: env.WB_LEASE_RENEW_DEADLINE * 1000,
    retryMs: env.WB_LEASE_RETRY * 1000,
    onProblem(error) {
      metrics.onLeaseFailure();
      log.warn({ error: (error as Error).message }, 'the lease could not be read or renewed');
    },
  });
  const acting = fenced(transport, lease);
  const store = new Store();
  const cluster = new Cluster(transport, store, settings.namespace);
  const { signal } = stopping;
  const watch = {
    onHeard: () => contact.answered(),
    silenceMs: env.WB_WATCH_SILENCE * 1000,
    relistAfterMs: env.WB_RELIST_AFTER * 1000,
  };
  const reflectors = reflectAll({ watch: { ...watch, transport }, store, namespace: settings.namespace, log, signal });
  const recorder = new EventRecorder({
    transport: acting,
    namespace: settings.namespace,
    instance: replica,
    perSecond: env.WB_EVENTS_PER_SECOND,
    onProblem: (error) => log.warn({ error: (error as Error).message }, 'an event could not be written'),
  });
  const pullSecrets = new PullSecrets(acting, settings.namespace);
  const registry = new Registry({
    ...(env.WB_REGISTRIES ? { addresses: env.WB_REGISTRIES } : {}),
    ...(env.WB_REGISTRY_SECRETS ? { credentials: (names, host) => pullSecrets.login(names, host) } : {}),
  });
  const entrance = entranceFrom({ env, settings, store, cluster, reflectors, log });
  const controller = createController({
    store,
    registry,
    registryEveryMs: env.WB_REGISTRY_EVERY * 1000,
    cluster: new Cluster(acting, store, settings.namespace),
    recorder,
    settings,
    log,
    verifyCount: env.WB_VERIFY_COUNT,
    onPass: metrics.onPass,
    onLaunch: metrics.onLaunch,
    ...(env.WB_VERIFY_ADDRESS ? { verifyAddress: env.WB_VERIFY_ADDRESS } : {}),
    ...(entrance.probe ? { probe: entrance.probe } : {}),
  });
  const pageRoute = createPageRoute({
    watch: { ...watch, transport: acting },
    namespace: env.CONTROLLER_NAMESPACE,
    service: env.PAGE_SERVICE,
    port: env.PAGE_PORT,
    settings,
    log,
    signal,
  });
  const watches = [...reflectors.watches, pageRoute.watch];
  metrics.observe({ store, watches, lease, controller, recorder });

  const access = new Access({ store, cluster, isCurrent: () => reflectors.isCurrent('Workbench') });
  const workbenches = new Workbenches({ store, cluster, settings, access });
  const volumes = new Volumes({ store, cluster });
  // Ends what is held open, so that clients go on with another replica at once.
  const leaving = new AbortController();
  const isSynced = () => reflectors.unsynced().length === 0;
  const app = createApp({
    workbenches,
    shares: new Shares(access),
    volumes,
    identity: entrance.identity,
    log,
    urlPrefix: env.RESTAPI_URL_PREFIX,
    held: createHeld(store, leaving.signal),
    perSecond: env.RESTAPI_RATE_LIMIT,
    origins: env.RESTAPI_CORS_ORIGIN ?? [],
    isSynced,
  });
  const health = createHealthServer(PATIENCE, {
    waitingFor: reflectors.unsynced,
    blind: () => contact.blind(watches),
    metrics: metrics.render,
  });
  const servers = [
    await listen(createJsonServer(PATIENCE, app), env.PORT, env.HOST),
    await listen(health, env.HEALTH_PORT, env.HEALTH_HOST),
    await listen(createServer(PATIENCE, entrance.pages), env.PAGE_PORT, env.PAGE_HOST),
  ];
  log.info({ port: (servers[0]!.address() as AddressInfo).port, namespace: settings.namespace }, 'listening');

  /** Every replica answers and watches; one acts. */
  async function act(): Promise<void> {
    while (!resigning.signal.aborted) {
      await lease.acquire(resigning.signal);
      const held = lease.keep(resigning.signal);
      // What a watch that is silent, and not known to be, has not told must not be done a second time.
      await Promise.race([reflectors.refresh(), held]);
      if (lease.remainingMs() === 0) continue;
      log.info('acting: this replica has the lease');
      metrics.onLeaseTransition('acting');
      controller.start();
      pageRoute.start();
      await held;
      controller.pause();
      pageRoute.pause();
      log.warn('not acting: the lease is lost');
      metrics.onLeaseTransition('waiting');
    }
  }

  const route = pageRoute.run();
  const resigning = new AbortController();
  let acts: Promise<void> | undefined;
  await Promise.race([reflectors.synced, stopped]);
  if (isSynced()) {
    acts = act().catch((error: unknown) => {
      // Whatever else ends it ends this process: a replica that only seems to wait would never act again.
      if (!resigning.signal.aborted) throw error;
    });
    log.info({ workbenches: store.collections.Workbench.size }, 'ready');
  }

  const [by] = (await stopped) as [string];
  log.info({ signal: by }, 'stopping');
  leaving.abort();
  // The lease goes as soon as the passes under way have ended, so that another replica goes on; the watches when the last
  // request is answered, which may be seconds later. A pass may wait for a registry as long: then it ends without a write.
  const answered = Promise.all(servers.map((server) => drain(server, env.WB_DRAIN * 1000)));
  resigning.abort();
  pageRoute.pause();
  const passed = controller.stop();
  await Promise.race([passed, delay(LAST_WRITES_MS, undefined, { ref: false })]);
  recorder.pause();
  await acting.lock();
  await acts;
  if (await lease.release()) log.info('the lease is given back: another replica may act');
  await Promise.all([answered, passed]);
  stopping.abort();
  await Promise.all([reflectors.ended, route]);
  await Promise.all([transport.close(), leaseTransport.close(), registry.close()]);
  log.info('stopped');
}

try {
  await main(readEnvironment());
} catch (error) {
  // A wrong setting or a taken port is a sentence for a person, not a stack.
  const isExpected = error instanceof ConfigError || typeof (error as NodeJS.ErrnoException).code === 'string';
  process.stderr.write(`${isExpected ? (error as Error).message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
  // A listener that did start must not keep a half-started process alive.
  setImmediate(() => process.exit(1));
}
