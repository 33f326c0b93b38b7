/** Items that are made once for each change: most requests ask for what has not changed since the last. */
import type { Store } from '../kube/store.ts';
import { claimName } from '../workbench/identity.ts';
import type { Workbench } from '../workbench/resource.ts';
import type { Settings } from '../workbench/settings.ts';
import { toItem } from './view.ts';
import type { Item } from './shapes.ts';
import type { Viewed } from './view.ts';

export interface ItemsOptions {
  store: Pick<Store, 'collections' | 'classOf'>;
  settings: Settings;
}

const texts = new WeakMap<Item, string>();

/** As JSON, written once. */
export function textOf(item: Item): string {
  const known = texts.get(item);
  if (known !== undefined) return known;
  const text = JSON.stringify(item);
  texts.set(item, text);
  return text;
}

export class Items {
  readonly #store: ItemsOptions['store'];
  readonly #settings: Settings;
  readonly #known = new WeakMap<Workbench, Viewed & { volume: string; item: Item }>();

  constructor({ store, settings }: ItemsOptions) {
    this.#store = store;
    this.#settings = settings;
  }

  /** Objects in the store are replaced and never changed, so an item is good for as long as its workbench, its class and its Pods are the same. */
  of(workbench: Workbench): Item {
    const pods = this.#store.collections.Pod.indexed(workbench.metadata.name);
    const found = this.#store.classOf(workbench);
    const known = this.#known.get(workbench);
    const volume = known?.volume ?? claimName(workbench);
    const claim = this.#store.collections.PersistentVolumeClaim.get(volume);
    const isGood = known?.class === found && known?.claim === claim && known?.pods.length === pods.length;
    if (known && isGood && known.pods.every((pod, index) => pod === pods[index])) return known.item;
    const viewed = { workbench, pods, ...(found ? { class: found } : {}), ...(claim ? { claim } : {}) };
    const item = toItem(viewed, this.#settings);
    this.#known.set(workbench, { ...viewed, volume, item });
    return item;
  }
}
