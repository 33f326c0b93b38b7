/** A cluster that one `npm run faults -- --keep` holds open, so that others need not wait for the start of their own. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runKubectl } from '../cluster/access/kubectl.ts';
import { binariesFor } from '../cluster/binaries/catalogue.ts';
import { findBinaries } from '../cluster/binaries/find.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { isAlive } from '../cluster/run/identity.ts';
import { onExit } from '../cluster/run/interrupt.ts';
import { readRecord } from '../cluster/run/runDirectory.ts';

const LOCAL = join(import.meta.dirname, '../../.local');
const NOTE = join(LOCAL, 'faults.json');

type Note = Pick<Cluster, 'dir' | 'kubeconfig' | 'server'>;

/** Writes down where the cluster is, until this process ends. Only its own process can make users, so they are made now. */
export async function keep(cluster: Cluster, users: string[]): Promise<void> {
  await Promise.all(users.map((user) => cluster.userKubeconfig(user)));
  mkdirSync(LOCAL, { recursive: true });
  const { dir, kubeconfig, server } = cluster;
  const note: Note = { dir, kubeconfig, server };
  writeFileSync(NOTE, JSON.stringify(note));
  onExit(() => rmSync(NOTE, { force: true }));
}

/** The kept cluster, if there is one; its end is not ours to bring about. */
export async function keptCluster(): Promise<Cluster | undefined> {
  const note = readNote();
  const owner = note && readRecord(note.dir)?.owner;
  if (!note || !owner || !isAlive(owner)) return undefined;
  const binaries = await findBinaries(binariesFor('simulated'), () => undefined);
  const binary = (name: string) => binaries.get(name)!;
  return {
    ...note,
    nodes: 'simulated',
    binary,
    kubectl: (args, input) => runKubectl(binary('kubectl'), note.kubeconfig, args, input),
    // Whoever installs writes the address of a proxy into it.
    userKubeconfig(user) {
      const copy = join(note.dir, 'kubeconfigs', `${user}-of-${process.pid}`);
      copyFileSync(join(note.dir, 'kubeconfigs', user), copy);
      return Promise.resolve(copy);
    },
    audit: () => Promise.reject(new Error('The audit log of a kept cluster is not read.')),
    stop: () => Promise.resolve(),
  };
}

function readNote(): Note | undefined {
  try {
    return JSON.parse(readFileSync(NOTE, 'utf8')) as Note;
  } catch {
    return undefined;
  }
}
