/** Writes, and live reads. Every answer goes into the store, so that nobody reads our own past. */
import type { KubeObject, PatchOperation } from '../workbench/objects.ts';
import { isKubeError } from './errors.ts';
import { KINDS, collectionPath, objectPath } from './kinds.ts';
import type { Kind, KindTypes } from './kinds.ts';
import type { Store } from './store.ts';
import type { Transport } from './transport.ts';

export interface DeleteOptions {
  /** Precondition: never a namesake. */
  uid: string;
  /** Precondition: nobody has changed it since. */
  resourceVersion?: string;
  /** Do not wait for the kubelet. */
  force?: boolean;
  propagation?: 'Foreground' | 'Background';
}

export class Cluster {
  readonly #transport: Transport;
  readonly #store: Store;
  readonly namespace: string;

  constructor(transport: Transport, store: Store, namespace: string) {
    this.#transport = transport;
    this.#store = store;
    this.namespace = namespace;
  }

  /** @throws KubeError alreadyExists, forbidden, invalid, … */
  async create<K extends Kind>(kind: K, object: KubeObject): Promise<KindTypes[K]> {
    return this.#keep(kind, await this.#transport.call('POST', collectionPath(kind, this.namespace), { body: object }));
  }

  /** Whether the API server would make it: quotas, limits and policies are asked, and nothing is kept. @throws as create */
  async rehearse(kind: Kind, object: KubeObject): Promise<void> {
    await this.#transport.call('POST', `${collectionPath(kind, this.namespace)}?dryRun=All`, { body: object });
  }

  /** A live read, for when the cache may not be trusted. @throws KubeError notFound */
  async get<K extends Kind>(kind: K, name: string): Promise<KindTypes[K]> {
    return this.#keep(kind, await this.#transport.call('GET', objectPath(kind, this.namespace, name)));
  }

  /**
   * A JSON Patch that applies to one incarnation only: a `test` of the UID comes first. (A uid in a merge patch protects nothing.)
   * @throws KubeError invalid when a test fails
   */
  async patch<K extends Kind>(
    kind: K,
    name: string,
    uid: string,
    operations: PatchOperation[],
    subresource?: 'status',
  ): Promise<KindTypes[K]> {
    const path = objectPath(kind, this.namespace, name) + (subresource ? `/${subresource}` : '');
    const body: PatchOperation[] = [{ op: 'test', path: '/metadata/uid', value: uid }, ...operations];
    const contentType = 'application/json-patch+json';
    // A status is our own word. To be told of it would end the backoff of a pass that has just failed, and begin the next.
    return this.#keep(kind, await this.#transport.call('PATCH', path, { body, contentType }), subresource === 'status');
  }

  /** Gone already is success. @throws KubeError conflict when another incarnation bears the name by now */
  async delete(
    kind: Kind,
    name: string,
    { uid, resourceVersion, force, propagation = 'Background' }: DeleteOptions,
  ): Promise<void> {
    const body = {
      propagationPolicy: propagation,
      preconditions: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      ...(force ? { gracePeriodSeconds: 0 } : {}),
    };
    const path = objectPath(kind, this.namespace, name);
    const answer = await this.#transport.call<KubeObject>('DELETE', path, { body }).catch((error: unknown) => {
      if (isKubeError(error, 'notFound')) return undefined;
      throw error;
    });
    // A Status means "removed"; an object with a deletionTimestamp is on its way.
    if (answer?.metadata?.deletionTimestamp && answer.metadata.uid === uid)
      this.#keep(kind, answer as KindTypes[typeof kind]);
    else this.#store.collections[kind].deleted(name, uid);
  }

  #keep<K extends Kind>(kind: K, object: KindTypes[K], isStatus = false): KindTypes[K] {
    const trimmed = KINDS[kind].trim(object);
    this.#store.collections[kind].wrote(trimmed, isStatus);
    return trimmed;
  }
}
