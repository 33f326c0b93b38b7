import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';

/** By default with fsync on, as in production: what a write costs is part of what the tests measure. */
export function startEtcd(
  run: RunDirectory,
  binary: string,
  ports: { client: number; peer: number },
  durable = true,
): Component {
  const client = `http://127.0.0.1:${ports.client}`;
  const peer = `http://127.0.0.1:${ports.peer}`;
  return startComponent(run, {
    name: 'etcd',
    command: binary,
    args: [
      `--data-dir=${run.path('etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--log-level=warn',
      ...(durable ? [] : ['--unsafe-no-fsync']),
    ],
  });
}
