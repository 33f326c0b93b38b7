import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ask, create, type Access } from './access/ask.ts';
import { renderKubeconfig } from './access/kubeconfig.ts';
import { fileName, makePki, pem, type Pki } from './access/pki.ts';
import { startApiserver } from './components/apiserver.ts';
import { startControllerManager } from './components/controllerManager.ts';
import { startEtcd } from './components/etcd.ts';
import { startScheduler } from './components/scheduler.ts';
import { freePorts } from './machine/freePorts.ts';
import type { Component } from './run/component.ts';
import type { RunDirectory } from './run/runDirectory.ts';
import { until } from './run/until.ts';

export interface ControlPlane {
  server: string;
  pki: Pki;
  apiserver: Component;
  /** Of the start itself, whose calls are not audited. */
  access: Access;
  /** Writes a kubeconfig of this user and returns its path. */
  kubeconfigFor: (user: string, groups?: string[]) => Promise<string>;
  /** When the controllers and the scheduler work; the API answers from the first moment. */
  settled: Promise<void>;
}

const administrators = ['system:masters'];

/** Resolves as soon as the API server answers; the rest comes up behind it. */
export async function startControlPlane(
  run: RunDirectory,
  binary: (name: string) => string,
  where: { address: string; advertise: string; kinds?: string | undefined; durable?: boolean | undefined },
): Promise<ControlPlane> {
  const names = ['etcd', 'etcdPeers', 'apiserver', 'manager', 'scheduler'] as const;
  const ports = await freePorts(names, ['127.0.0.1', where.address]);
  const etcd = startEtcd(run, binary('etcd'), { client: ports.etcd, peer: ports.etcdPeers }, where.durable);

  const pki = await makePki(run);
  const hosts = [where.address, 'localhost', '10.96.0.1', 'kubernetes.default', 'kubernetes.default.svc'];
  const [serving, kubeletClient, start] = await Promise.all([
    pki.server('kube-apiserver', hosts),
    pki.client('system:kubelet-client', administrators),
    pki.client('system:start', administrators),
  ]);
  const apiserver = startApiserver(run, binary('kube-apiserver'), {
    address: where.address,
    advertise: where.advertise,
    port: ports.apiserver,
    etcdPort: ports.etcd,
    pki,
    serving,
    kubeletClient,
  });

  const server = `https://${where.address}:${ports.apiserver}`;
  const ca = pem(pki.ca).cert;
  const access: Access = { server, ca, ...pem(start) };
  const kubeconfigFor = async (user: string, groups: string[] = []): Promise<string> => {
    const pair = await pki.client(user, groups);
    mkdirSync(run.path('kubeconfigs'), { recursive: true });
    return run.write(join('kubeconfigs', fileName(user)), renderKubeconfig({ server, user, ca, ...pem(pair) }));
  };
  const [manager, scheduler] = await Promise.all([
    kubeconfigFor('system:kube-controller-manager'),
    kubeconfigFor('system:kube-scheduler'),
  ]);
  await until('The API server', 60, [etcd, apiserver], async () => (await ask(access, '/readyz')).code === 200);
  if (where.kinds !== undefined) await establishKinds(access, where.kinds, apiserver);

  const followers = [
    startControllerManager(run, binary('kube-controller-manager'), { kubeconfig: manager, pki, port: ports.manager }),
    startScheduler(run, binary('kube-scheduler'), { kubeconfig: scheduler, port: ports.scheduler }),
  ];
  // No Pod can be made in a namespace before its "default" ServiceAccount is there.
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  const settled = Promise.all([
    until('The controller manager', 60, followers, async () => (await ask(access, account)).code === 200),
    until('The scheduler', 60, followers, () => isHealthy(ports.scheduler)),
  ]).then(() => undefined);
  return { server, pki, apiserver, access, kubeconfigFor, settled };
}

async function establishKinds(access: Access, file: string, apiserver: Component): Promise<void> {
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
    const { metadata, spec } = document.toJS() as Definition;
    await create(access, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', document.toJS());
    const served = `/apis/${spec.group}/${spec.versions[0]!.name}/${spec.names.plural}`;
    await until(metadata.name, 30, [apiserver], async () => (await ask(access, served)).code === 200);
  }
}

interface Definition {
  metadata: { name: string };
  spec: { group: string; names: { plural: string }; versions: { name: string }[] };
}

async function isHealthy(port: number): Promise<boolean> {
  // It signed its certificate itself, a moment ago, and nothing secret is said to it.
  return (await ask({ server: `https://127.0.0.1:${port}`, insecure: true }, '/readyz')).code === 200;
}
