/** A workbench as it is now, for what decides a right: from the store while its watch is known to be alive, else read live. */
import type { Workbench } from '../workbench/resource.ts';
import type { Cluster } from './cluster.ts';
import { isKubeError } from './errors.ts';
import type { Watch } from './reflect-all.ts';
import type { Store } from './store.ts';

export interface FreshOptions {
  store: Pick<Store, 'collections'>;
  cluster: Pick<Cluster, 'get'>;
  watches: readonly Watch[];
  /** Silence after which a watch may be dead without anybody knowing; ms. */
  silenceMs: number;
}

export function freshReader({ store, cluster, watches, silenceMs }: FreshOptions) {
  const watch = watches.find(({ kind }) => kind === 'Workbench')!;
  /** @returns undefined: there is none. @throws KubeError */
  return async (id: string): Promise<Workbench | undefined> => {
    if (performance.now() - watch.lastHeardAt <= silenceMs) return store.collections.Workbench.get(id);
    return cluster.get('Workbench', id).catch((error: unknown) => {
      if (isKubeError(error, 'notFound')) return undefined;
      throw error;
    });
  };
}
