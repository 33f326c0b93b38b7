import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKubectl } from './access/kubectl.ts';
import { binarySpec } from './binaries/catalogue.ts';
import { findBinaries } from './binaries/find.ts';
import type { Cluster } from './cluster.ts';
import { elapsedReport } from './run/elapsedReport.ts';
import { onExit } from './run/interrupt.ts';

/**
 * A cluster that somebody named (--kubeconfig FILE or WB_TEST_KUBECONFIG; never the ambient KUBECONFIG, which may lead
 * to somebody's production). It is only used, never changed here: what a test makes in it, that test removes.
 */
export async function givenCluster(kubeconfig: string, report = elapsedReport()): Promise<Cluster> {
  const binaries = await findBinaries(['kubectl', 'kstatus'].map(binarySpec), report);
  const binary = (name: string): string => {
    const path = binaries.get(name);
    if (path === undefined)
      throw new Error(`With a cluster that was given there is no binary "${name}", only kubectl and kstatus.`);
    return path;
  };
  const kubectl = (args: string[], input?: string): Promise<string> =>
    runKubectl(binary('kubectl'), kubeconfig, args, input);
  const server = await kubectl(['config', 'view', '--minify', '--output=jsonpath={.clusters[0].cluster.server}']);
  await kubectl(['version', '--request-timeout=10s']);

  const dir = mkdtempSync(join(tmpdir(), 'workbench-given-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  const forget = onExit(remove);
  return {
    nodes: 'real',
    dir,
    kubeconfig,
    server,
    binary,
    kubectl,
    userKubeconfig: async () => refuse('makes no users: its certificate authority is not ours'),
    audit: async () => refuse('has no audit log to read'),
    stop: async () => {
      forget();
      remove();
    },
  };
}

function refuse(why: string): never {
  throw new Error(
    `A cluster that was given ${why}; run this test on a cluster of its own (without --kubeconfig and WB_TEST_KUBECONFIG).`,
  );
}
