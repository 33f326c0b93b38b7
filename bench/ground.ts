/** What every part of the bench stands on: one cluster, the bundled controller, and users that are told apart. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../src/kube/connect.ts';
import { createTransport } from '../src/kube/transport.ts';
import type { Transport } from '../src/kube/transport.ts';
import { startCluster } from '../test/cluster/cluster.ts';
import type { Cluster } from '../test/cluster/cluster.ts';
import { CONTROLLER_USER, bundle, install } from '../test/installation.ts';
import type { Installation } from '../test/installation.ts';
import { tailAudit } from './audit-tail.ts';
import type { AuditTail } from './audit-tail.ts';
import type { Flags } from './flags.ts';
import { dispatchedIn, flowSchemaOf } from './flow-schemas.ts';

export const BARE_USER = 'bare-writer';
export const PORTAL_USER = 'bench-portal';
export const BYSTANDER_USER = 'bench-bystander';

export interface Ground {
  cluster: Cluster;
  /** The controller, bundled as in its image; it runs when a part has started it. */
  controller: Installation;
  /** Another replica, which has to be started and ended by whoever asks for it. */
  replica: (name: string) => Promise<Installation>;
  /** Makes workbenches, looks, and sweeps. */
  portal: Transport;
  /** A third user, of whom nobody knows anything. */
  bystander: Transport;
  bareKubeconfig: string;
  audit: AuditTail;
  /** Calls that the API server has let through for one of the contenders. */
  dispatched: (user: string) => Promise<number>;
  flags: Flags;
  report: (line: string) => void;
}

export async function layGround(flags: Flags, report: (line: string) => void): Promise<Ground> {
  const cluster = await startCluster({ nodes: 'simulated', report });
  // For a profile with names that can be read.
  const program = await bundle(cluster.dir, ...(flags.cpuProf ? ['--no-minify'] : []));
  const profiles = flags.cpuProf ? mkdtempSync(join(tmpdir(), 'workbench-cpu-')) : undefined;
  if (profiles !== undefined) report(`CPU profiles, one for each controller that ends: ${profiles}`);

  const transportOf = async (user: string) => createTransport(connect(await cluster.userKubeconfig(user)), user);
  const [portal, bystander, bareKubeconfig] = await Promise.all([
    transportOf(PORTAL_USER),
    transportOf(BYSTANDER_USER),
    cluster.userKubeconfig(BARE_USER),
  ]);
  const objects = [
    ...[CONTROLLER_USER, BARE_USER].flatMap(flowSchemaOf),
    everythingFor(PORTAL_USER, BARE_USER, BYSTANDER_USER),
  ];
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));

  const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const replica = (name: string) =>
    install(cluster, {
      program,
      env: { POD_NAME: name },
      nodeFlags: [...imageFlags(), ...flags.nodeFlags, ...profiling],
    });
  const controller = await replica('bench');
  await controller.end();
  return {
    cluster,
    controller,
    replica,
    portal,
    bystander,
    bareKubeconfig,
    audit: tailAudit(cluster.dir, portal),
    dispatched: async (user) => dispatchedIn(await portal.call<string>('GET', '/metrics'), user),
    flags,
    report,
  };
}

/** The flags of Node that the image's entry point has. */
function imageFlags(): string[] {
  const [, entryPoint] = /^ENTRYPOINT (.+)$/m.exec(readFileSync('Dockerfile', 'utf8'))!;
  return (JSON.parse(entryPoint!) as string[]).filter((word) => word.startsWith('--'));
}

/** Not by a group: administrators are exempt from the API server's fairness. */
function everythingFor(...users: string[]): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'bench' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: users.map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })),
  };
}
