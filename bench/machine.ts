/** On what it was measured, without which a figure says nothing. */
import { cpus, release, totalmem, type } from 'node:os';
import type { Transport } from '../src/kube/transport.ts';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  kernel: string;
  node: string;
  kubernetes: string;
}

export async function describeMachine(transport: Transport): Promise<Machine> {
  const { gitVersion } = await transport.call<{ gitVersion: string }>('GET', '/version');
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    kubernetes: gitVersion,
  };
}

export function machineLine({ cpu, cores, memoryGiB, kernel, node, kubernetes }: Machine): string {
  return `${cores} cores (${cpu}), ${memoryGiB} GiB, ${kernel}, Node ${node}, Kubernetes ${kubernetes}, etcd with fsync.`;
}
