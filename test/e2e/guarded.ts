/** An installation whose workbenches are guarded: Keycloak knows people, and Traefik asks the controller before it routes. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { bridge } from '../cluster/machine/bridge.ts';
import { freePorts } from '../cluster/machine/freePorts.ts';
import { pushWorkbenchImage } from '../images/push.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { startKeycloak } from '../keycloak/keycloak.ts';
import type { Keycloak } from '../keycloak/keycloak.ts';
import { smallWorkbenches } from './installation.ts';

export const GUARD_ANNOTATIONS = JSON.stringify({ 'traefik.ingress.kubernetes.io/router.middlewares': 'guard@file' });

export interface GuardedInstallation extends Installation {
  cluster: Cluster;
  keycloak: Keycloak;
  /** The part of the environment that makes it guarded. */
  guard: { OIDC_CLIENT_ID: string; WB_GUARD_KEY_FILE: string };
  /** The environment in which each workbench has a host of its own, instead of a path. */
  inHosts: Record<string, string>;
  teardown: () => Promise<void>;
}

export async function installGuarded(): Promise<GuardedInstallation> {
  const ports = await freePorts(['rest', 'health', 'page', 'ingress'], ['127.0.0.1']);
  const forwardAuth = {
    address: `http://${bridge.address}:${ports.page}/guard/traefik`,
    authResponseHeaders: ['Cookie', 'Authorization', 'Workbench-Pass'],
  };
  const cluster = await startCluster({
    nodes: 'real',
    install: process.env.WB_TEST_NO_INSTALL === undefined,
    ports: { ingress: ports.ingress },
    traefikMiddlewares: { guard: { forwardAuth } },
  });
  let keycloak: Keycloak | undefined;
  const end = async () => {
    await keycloak?.stop();
    await cluster.stop();
  };
  try {
    const local = `http://localhost:${ports.ingress}`;
    keycloak = await startKeycloak({ portals: [cluster.ingressUrl!, local] });
    await pushWorkbenchImage({ registry: cluster.registry!, version: 'v1' });
    const key = join(cluster.dir, 'guard-key');
    writeFileSync(key, randomBytes(32).toString('hex'), { mode: 0o600 });
    const guard = { OIDC_CLIENT_ID: 'workbench-portal', WB_GUARD_KEY_FILE: key };
    const installation = await install(cluster, {
      ports,
      env: {
        ...smallWorkbenches(cluster.registry!),
        OIDC_ISSUER: keycloak.issuer(),
        OIDC_AUDIENCE: 'workbench-api',
        OIDC_USER_CLAIM: 'preferred_username',
        ...guard,
        INGRESS_ANNOTATIONS: GUARD_ANNOTATIONS,
      },
    });
    return {
      ...installation,
      cluster,
      keycloak,
      guard,
      inHosts: {
        BASE_URL: local,
        WB_WORKBENCH_DOMAIN: `wb.localhost:${ports.ingress}`,
        // Browsers know that every name under "localhost" is this machine; the resolver of this process need not.
        WB_VERIFY_ADDRESS: `127.0.0.1:${ports.ingress}`,
      },
      teardown: async () => {
        await installation.end();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
