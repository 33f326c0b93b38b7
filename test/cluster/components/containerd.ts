import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PodNetwork } from '../machine/network.ts';
import type { NodeNamespace } from '../machine/nodeNamespace.ts';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';
import { pauseImage } from './pauseImage.ts';

export function containerdSocket(run: RunDirectory): string {
  return run.path('containerd', 'containerd.sock');
}

/** A containerd of our own beside the machine's, if it has one: own root, state, socket and network configuration. */
export function startContainerd(
  run: RunDirectory,
  node: NodeNamespace,
  { registryPort, network }: { registryPort: number; network: PodNetwork },
): Component {
  const dir = run.path('containerd');
  mkdirSync(join(dir, 'cni'), { recursive: true });
  run.write('containerd/cni/10-workbench.conflist', JSON.stringify(conflist(network)));
  const config = run.write('containerd/config.toml', configuration(dir, registryPort, network.pluginDir));
  return startComponent(run, { name: 'containerd', ...node.inside('containerd', ['--config', config]) });
}

function configuration(dir: string, registryPort: number, pluginDir: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${dir}/root"
state = "${dir}/state"

[grpc]
  address = "${dir}/containerd.sock"

[plugins."io.containerd.internal.v1.opt"]
  path = "${dir}/opt"

[${cri}]
  sandbox_image = "${pauseImage}"
  # A machine without CAP_SYS_RESOURCE cannot write the sandbox's oom_score_adj of -998, and runc then fails with
  # "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

[${cri}.cni]
  bin_dir = "${pluginDir}"
  conf_dir = "${dir}/cni"

[${cri}.registry.mirrors."localhost:${registryPort}"]
  endpoint = ["http://127.0.0.1:${registryPort}"]
`;
}

function conflist({ plugins }: PodNetwork): unknown {
  return { cniVersion: '0.4.0', name: 'workbench', plugins };
}
