/** What there is of each workbench in a real namespace, as the store would keep it, to be compared with a simulated world. */
import { KINDS, collectionPath } from '../../src/kube/kinds.ts';
import type { Kind } from '../../src/kube/kinds.ts';
import type { Transport } from '../../src/kube/transport.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';
import type { Lists } from '../workbench/end.ts';

export const ALL = Object.keys(KINDS) as Kind[];

export const trimmed = (list: Lists['list']): Lists => ({
  list: (kind) => list(kind).map((object) => KINDS[kind].trim(object)),
});

export async function list(transport: Transport, namespace: string, kind: Kind): Promise<KubeObject[]> {
  return (await transport.call<{ items: KubeObject[] }>('GET', collectionPath(kind, namespace))).items;
}

/** By the name of a workbench, which those of its children begin with. */
export async function listsOf(transport: Transport, namespace: string): Promise<(name: string) => Lists> {
  const entries = ALL.map(async (kind) => [kind, await list(transport, namespace, kind)] as const);
  const all = Object.fromEntries(await Promise.all(entries)) as Record<Kind, KubeObject[]>;
  const isOf = (name: string) => (object: KubeObject) => `${object.metadata.name}-`.startsWith(`${name}-`);
  return (name) => trimmed((kind) => all[kind].filter(isOf(name)) as never);
}
