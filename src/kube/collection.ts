/**
 * The objects of one kind as last seen, from a watch and from our own writes. A resourceVersion orders all objects of a kind,
 * so "older" is well defined even across a delete and a recreate under one name.
 */
import type { KubeObject } from '../workbench/objects.ts';
import { isSame } from '../workbench/same.ts';

export interface CollectionOptions<T extends KubeObject> {
  /** Other ways to find objects, e.g. by owner. */
  indexBy?: (object: T) => readonly (string | undefined)[];
  /** Told after every change, with what stood there before; must not throw. */
  onChange?: (object: T, before?: T) => void;
  /** Told of a status of our own, which `onChange` is not told of; must not throw. */
  onOwnStatus?: (object: T) => void;
}

/** resourceVersions are decimal numbers without leading zeros (KEP-5504), too long for a double one day. */
export function isNewer(one: string | undefined, other: string | undefined): boolean {
  const [a, b] = [one ?? '0', other ?? '0'];
  return a.length === b.length ? a > b : a.length > b.length;
}

/** More than are deleted in the time by which one event may come late. */
const REMEMBERED = 1_000;

function isSameButStatus(one: KubeObject, other: KubeObject): boolean {
  const essence = (object: KubeObject & { status?: unknown }) => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: '' },
    status: undefined,
  });
  return isSame(essence(one), essence(other));
}

export class Collection<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #index = new Map<string, Set<string>>();
  readonly #options: CollectionOptions<T>;
  /** How far the watch has come; what it has passed and not kept is gone. */
  #seen = '0';
  /** UIDs of what was last deleted: none comes back, whatever a watch that is out of order tells of it. */
  readonly #gone = new Set<string>();

  #revision = 0;

  constructor(options: CollectionOptions<T> = {}) {
    this.#options = options;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Another number after every change, whoever is told of it. */
  get revision(): number {
    return this.#revision;
  }

  get(name: string): T | undefined {
    return this.#objects.get(name);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  indexed(key: string): T[] {
    return [...(this.#index.get(key) ?? [])].map((name) => this.#objects.get(name)!);
  }

  /**
   * The answer to a write of ours: kept unless the watch already knows better (an object it has since seen deleted, too). A
   * status of ours is no news to who acts, unless the answer brings what somebody else has changed before it: that is told by no
   * event any more, since the watch brings it as old.
   */
  wrote(object: T, isStatus = false): void {
    const known = this.#objects.get(object.metadata.name);
    const version = object.metadata.resourceVersion;
    if (this.#gone.has(object.metadata.uid!)) return;
    if (known ? isNewer(version, known.metadata.resourceVersion) : isNewer(version, this.#seen))
      this.#set(object, isStatus && known !== undefined && isSameButStatus(known, object));
  }

  /** A delete of ours that took effect at once. */
  deleted(name: string, uid: string): void {
    const known = this.#objects.get(name);
    if (known?.metadata.uid !== uid) return;
    this.#bury(known);
    this.#unset(known);
  }

  /** An event of the watch: added or modified. */
  saw(object: T): void {
    this.advance(object.metadata.resourceVersion);
    if (this.#gone.has(object.metadata.uid!)) return;
    const known = this.#objects.get(object.metadata.name);
    if (!known || isNewer(object.metadata.resourceVersion, known.metadata.resourceVersion)) this.#set(object);
  }

  /** An event of the watch: deleted. Its resourceVersion is that of the deletion. */
  sawDeleted(object: T): void {
    this.advance(object.metadata.resourceVersion);
    this.#bury(object);
    const known = this.#objects.get(object.metadata.name);
    if (known && !isNewer(known.metadata.resourceVersion, object.metadata.resourceVersion)) this.#unset(known);
  }

  /** A bookmark: nothing happened up to here. */
  advance(version: string | undefined): void {
    if (isNewer(version, this.#seen)) this.#seen = version!;
  }

  /** A whole list, as of `version`. Writes of ours that are newer than the list stay. */
  replace(objects: T[], version: string): void {
    // Never so, but after the API server was restored from a backup: then nothing that is known here is worth anything.
    if (isNewer(this.#seen, version)) {
      this.#seen = '0';
      for (const known of this.#objects.values()) this.#unset(known);
    }
    const listed = new Set(objects.map(({ metadata }) => metadata.name));
    for (const known of this.#objects.values()) {
      if (!listed.has(known.metadata.name) && !isNewer(known.metadata.resourceVersion, version)) this.#unset(known);
    }
    for (const object of objects) {
      const known = this.#objects.get(object.metadata.name);
      if (!known || isNewer(object.metadata.resourceVersion, known.metadata.resourceVersion)) this.#set(object);
    }
    this.advance(version);
    // A list has the last word: an API server that was restored from a backup has its old objects again.
    this.#gone.clear();
  }

  #bury({ metadata: { uid } }: T): void {
    this.#gone.add(uid!);
    if (this.#gone.size > REMEMBERED) this.#gone.delete(this.#gone.values().next().value!);
  }

  #set(object: T, isQuiet = false): void {
    const { name } = object.metadata;
    const before = this.#objects.get(name);
    if (before) this.#unlink(before);
    this.#objects.set(name, object);
    this.#revision += 1;
    for (const key of this.#options.indexBy?.(object) ?? []) {
      if (key === undefined) continue;
      const names = this.#index.get(key);
      if (names) names.add(name);
      else this.#index.set(key, new Set([name]));
    }
    if (isQuiet) this.#options.onOwnStatus?.(object);
    else this.#options.onChange?.(object, before);
  }

  #unset(object: T): void {
    this.#objects.delete(object.metadata.name);
    this.#revision += 1;
    this.#unlink(object);
    this.#options.onChange?.(object);
  }

  #unlink(object: T): void {
    for (const key of this.#options.indexBy?.(object) ?? []) {
      const names = key === undefined ? undefined : this.#index.get(key);
      names?.delete(object.metadata.name);
      if (names?.size === 0) this.#index.delete(key!);
    }
  }
}
