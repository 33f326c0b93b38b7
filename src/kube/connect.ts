/** Credentials and TLS from a kubeconfig or from inside a Pod, kept fresh: tokens rotate, and so do CA files. */
// Not the package's index, which brings its whole client along.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { RequestOptions } from 'node:https';

export interface Connection {
  /** Origin of the API server, without a trailing slash. */
  server: string;
  credentials(): Promise<Credentials>;
}

export interface Credentials {
  headers: Record<string, string>;
  tls: {
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    rejectUnauthorized?: boolean;
    servername?: string;
  };
}

/** How long credentials may be used before they are asked for again. client-node re-reads token files at the same pace. */
const FRESH_MS = 60_000;

/**
 * In this order: the file named explicitly, $KUBECONFIG, ~/.kube/config, the Pod's service account.
 * @throws Error when none of them names a cluster
 */
export function connect(kubeconfig?: string): Connection {
  const config = new KubeConfig();
  if (kubeconfig) config.loadFromFile(kubeconfig);
  else config.loadFromDefault();
  const cluster = config.getCurrentCluster();
  // What client-node makes up when it finds nothing.
  if (!cluster || cluster.server === 'http://localhost:8080')
    throw new Error('No Kubernetes cluster is configured: set KUBECONFIG, or run inside a Pod with a service account.');

  let current: { at: number; value: Promise<Credentials> } | undefined;
  return {
    server: cluster.server.replace(/\/$/, ''),
    credentials() {
      const now = performance.now();
      if (!current || now - current.at > FRESH_MS) {
        const value = read(config);
        current = { at: now, value };
        // A failed read must not be remembered for a minute.
        value.catch(() => (current = undefined));
      }
      return current.value;
    },
  };
}

async function read(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized, servername } = options as Credentials['tls'];
  const headers = Object.fromEntries(
    Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  return {
    headers: {
      ...headers,
      ...(options.auth ? { Authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` } : {}),
    },
    tls: {
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      ...(servername ? { servername } : {}),
    },
  };
}
