/** What a user may do with a workbench as it is now: a right that was taken back must not live on in a cache. */
import { permissionOf } from '../workbench/shares.ts';
import type { Right } from '../workbench/shares.ts';
import type { Cluster } from './cluster.ts';
import { isKubeError } from './errors.ts';
import type { Store } from './store.ts';

export interface RightOptions {
  store: Pick<Store, 'collections'>;
  cluster: Pick<Cluster, 'get'>;
  /** Whether the watch of workbenches is alive. */
  isCurrent: () => boolean;
}

/** @returns undefined: none, or there is no such workbench. @throws KubeError */
export type RightOf = (id: string, user: string) => Promise<Right | undefined>;

/** From the store while it is known to be current, else read live. Owners keep what is theirs also while nobody can be asked. */
export function createRightOf({ store, cluster, isCurrent }: RightOptions): RightOf {
  return async (id, user) => {
    const cached = store.collections.Workbench.get(id);
    const right = cached && permissionOf(cached, user);
    if (right === 'owner' || isCurrent()) return right;
    const live = await cluster.get('Workbench', id).catch((error: unknown) => {
      if (isKubeError(error, 'notFound')) return undefined;
      throw error;
    });
    return live && permissionOf(live, user);
  };
}
