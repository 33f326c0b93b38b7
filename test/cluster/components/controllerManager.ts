import type { Pki } from '../access/pki.ts';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';

export function startControllerManager(
  run: RunDirectory,
  binary: string,
  { kubeconfig, pki, port }: { kubeconfig: string; pki: Pki; port: number },
): Component {
  return startComponent(run, {
    name: 'kube-controller-manager',
    command: binary,
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      '--leader-elect=false',
      '--use-service-account-credentials',
      `--root-ca-file=${pki.ca.certificate}`,
      `--service-account-private-key-file=${pki.serviceAccountKey}`,
      `--cluster-signing-cert-file=${pki.ca.certificate}`,
      `--cluster-signing-key-file=${pki.ca.key}`,
      // The default of 20 calls a second would be what a scale test measures.
      '--kube-api-qps=5000',
      '--kube-api-burst=5000',
    ],
  });
}
