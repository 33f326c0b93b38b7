/** The facade over a store that the test fills itself: real HTTP, and no API server that could be asked. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { Cluster } from '../../src/kube/cluster.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { Store } from '../../src/kube/store.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { Access } from '../../src/rest/access.ts';
import { createApp } from '../../src/rest/app.ts';
import type { AppOptions } from '../../src/rest/app.ts';
import { trusting } from '../../src/rest/auth.ts';
import { createHeld } from '../../src/rest/held.ts';
import { createJsonServer } from '../../src/rest/server.ts';
import { Shares } from '../../src/rest/shares.ts';
import { Volumes } from '../../src/rest/volumes.ts';
import { Workbenches } from '../../src/rest/workbenches.ts';
import type { Workbench, WorkbenchSpec } from '../../src/workbench/resource.ts';
import { settings, workbench } from '../workbench/sample.ts';

export interface Served {
  url: string;
  /** Puts a workbench into the store, as the watch would. */
  put: (
    name: string,
    phase: 'Running' | 'Pending' | 'Failed',
    spec?: Partial<WorkbenchSpec>,
    uid?: string,
  ) => Workbench;
  remove: (object: Workbench) => void;
  /** Whether the watch of workbenches is alive. */
  setCurrent: (is: boolean) => void;
  /** As SIGTERM does. */
  leave: () => void;
  close: () => Promise<void>;
}

/** Whatever is not in the store is nowhere. */
const nowhere = { call: () => Promise.reject(new KubeError('notFound', 404, {})) } as unknown as Transport;

export async function serve(options: Partial<AppOptions> = {}): Promise<Served> {
  const store = new Store();
  const cluster = new Cluster(nowhere, store, settings.namespace);
  let isCurrent = true;
  const leaving = new AbortController();
  const access = new Access({ store, cluster, isCurrent: () => isCurrent });
  const app = createApp({
    workbenches: new Workbenches({ store, cluster, settings, access }),
    shares: new Shares(access),
    volumes: new Volumes({ store, cluster }),
    identity: trusting,
    log: pino({ level: 'silent' }),
    urlPrefix: '',
    held: createHeld(store, leaving.signal),
    perSecond: 0,
    origins: [],
    isSynced: () => true,
    ...options,
  });
  const server = createJsonServer({}, app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  let version = 0;
  const versioned = (object: Workbench) => {
    version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${options.urlPrefix ?? ''}`,
    put(name, phase, spec = {}, uid = `uid of ${name}`) {
      const publicEndpoint = `${settings.baseUrl}/project/${name}`;
      const base = workbench(spec, { phase, observedGeneration: 3, publicEndpoint });
      const creationTimestamp = '2026-11-28T12:00:00Z';
      const object = versioned({ ...base, metadata: { ...base.metadata, name, uid, creationTimestamp } });
      store.collections.Workbench.saw(object);
      return object;
    },
    remove: (object) => store.collections.Workbench.sawDeleted(versioned(object)),
    setCurrent(is) {
      isCurrent = is;
    },
    leave: () => leaving.abort(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
