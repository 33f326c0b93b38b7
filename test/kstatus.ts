/** What kstatus (the judge that Flux and `kustomize` tooling use) says of an object: "Current", "InProgress", "Failed", … */
import { execFileSync } from 'node:child_process';
import type { Cluster } from './cluster/cluster.ts';

export function judge(cluster: Cluster, objectJson: string): string {
  return execFileSync(cluster.binary('kstatus'), { input: objectJson, encoding: 'utf8' }).trim();
}
