import { stringify } from 'yaml';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';

export function startScheduler(
  run: RunDirectory,
  binary: string,
  { kubeconfig, port }: { kubeconfig: string; port: number },
): Component {
  const config = run.write(
    'scheduler.yaml',
    stringify({
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      // The default of 50 calls a second would be what a scale test measures.
      clientConnection: { kubeconfig, qps: 5000, burst: 5000 },
      leaderElection: { leaderElect: false },
    }),
  );
  return startComponent(run, {
    name: 'kube-scheduler',
    command: binary,
    args: [`--config=${config}`, '--bind-address=127.0.0.1', `--secure-port=${port}`],
  });
}
