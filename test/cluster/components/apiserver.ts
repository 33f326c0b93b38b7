import { mkdirSync } from 'node:fs';
import { stringify } from 'yaml';
import type { KeyPair, Pki } from '../access/pki.ts';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';

export interface ApiserverSettings {
  /** Where it listens. */
  address: string;
  /** What Pods are told; an Endpoints object may not hold a loopback address. */
  advertise: string;
  port: number;
  etcdPort: number;
  pki: Pki;
  serving: KeyPair;
  /** With which it speaks to the kubelet, for logs and exec. */
  kubeletClient: KeyPair;
}

/** The components' own users; their calls are the bulk of the traffic and nobody counts them. */
const silentUsers = [
  'system:apiserver',
  'system:kube-controller-manager',
  'system:kube-scheduler',
  'system:kwok',
  'system:traefik',
  'system:kube-proxy',
  'system:start',
];

/** One line per call of everybody else, when it is complete; a watch therefore appears when it ends. */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'None', users: silentUsers },
    { level: 'None', userGroups: ['system:nodes', 'system:serviceaccounts:kube-system'] },
    { level: 'Metadata' },
  ],
};

export function auditLog(run: RunDirectory): string {
  return run.path('audit', 'audit.log');
}

export function startApiserver(run: RunDirectory, binary: string, settings: ApiserverSettings): Component {
  const { pki, serving, kubeletClient } = settings;
  mkdirSync(run.path('audit'), { recursive: true });
  return startComponent(run, {
    name: 'kube-apiserver',
    command: binary,
    args: [
      `--etcd-servers=http://127.0.0.1:${settings.etcdPort}`,
      `--bind-address=${settings.address}`,
      `--advertise-address=${settings.advertise}`,
      `--secure-port=${settings.port}`,
      `--tls-cert-file=${serving.certificate}`,
      `--tls-private-key-file=${serving.key}`,
      // No --requestheader-client-ca-file: it refuses to start when that is the client CA as well.
      `--client-ca-file=${pki.ca.certificate}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${pki.serviceAccountKey}`,
      `--service-account-key-file=${pki.serviceAccountKey}`,
      '--authorization-mode=Node,RBAC',
      '--allow-privileged=true',
      // As on OpenShift: who sets an owner reference needs rights beyond those to the object itself.
      '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
      `--kubelet-client-certificate=${kubeletClient.certificate}`,
      `--kubelet-client-key=${kubeletClient.key}`,
      // Otherwise "kubectl logs" looks the node's name up in DNS, where it is not.
      '--kubelet-preferred-address-types=InternalIP',
      `--audit-policy-file=${run.write('audit-policy.yaml', stringify(auditPolicy))}`,
      `--audit-log-path=${auditLog(run)}`,
      // Megabytes; high enough that it never begins a second file and a run's calls are all in one.
      '--audit-log-maxsize=100000',
    ],
  });
}
