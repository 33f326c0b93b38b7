/**
 * Who acts: one of several replicas, by a Lease of coordination.k8s.io, with the rules of client-go's leaderelection. Clocks of
 * two machines are never compared: a holder has lost its Lease when whoever waits has not seen it renewed for its whole
 * duration, and must act no more before that, by its own clock alone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '../workbench/objects.ts';
import { KubeError, isKubeError } from './errors.ts';
import { microTime } from './micro-time.ts';
import { TIMEOUT_MS } from './transport.ts';
import type { Transport } from './transport.ts';

export interface LeaseOptions {
  transport: Transport;
  namespace: string;
  name: string;
  /** Of this replica. A process that comes back under the same one goes on at once, so no two may share it at a time. */
  identity: string;
  /** Others take over when they have seen no renewal for this long. */
  durationMs: number;
  /** The holder acts no more when its last renewal was sent this long ago; shorter than the duration. */
  deadlineMs: number;
  /** Between two renewals; who waits looks twice as often. */
  retryMs: number;
  onProblem: (error: unknown) => void;
}

interface LeaseObject extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export class Lease {
  readonly #options: LeaseOptions;
  readonly #collection: string;
  /** On the clock of performance.now(), which goes on while the process is frozen. */
  #heldUntil = 0;
  /** The Lease as it was last seen, and when it first looked so. */
  #seen: { lease: LeaseObject; at: number } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(options.namespace)}/leases`;
  }

  /** For how long this replica may still act; 0 when it may not. */
  remainingMs(): number {
    return Math.max(Math.floor(this.#heldUntil - performance.now()), 0);
  }

  /** Resolves when this replica may act. @throws AbortError */
  async acquire(signal: AbortSignal): Promise<void> {
    while (!(await this.#try(() => this.#take()))) await delay(this.#options.retryMs / 2, undefined, { signal });
  }

  /** Renews, and resolves when that could not be done in time or somebody else has taken over. @throws AbortError */
  async keep(signal: AbortSignal): Promise<void> {
    // One that went unanswered for longer than the pause was pause enough.
    let tookMs = 0;
    while (this.remainingMs() > 0) {
      const pauseMs = Math.max(Math.min(this.#options.retryMs - tookMs, this.remainingMs()), 0);
      await delay(pauseMs, undefined, { signal });
      const began = performance.now();
      if (this.remainingMs() > 0) await this.#try(() => this.#renew());
      tookMs = performance.now() - began;
    }
  }

  /** Hands it to whoever waits. @returns whether it was held, and is now anybody's */
  async release(): Promise<boolean> {
    if (this.remainingMs() === 0) return false;
    this.#heldUntil = 0;
    const { lease } = this.#seen!;
    return this.#try(() =>
      this.#write({ ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 } }),
    );
  }

  async #try(attempt: () => Promise<boolean>): Promise<boolean> {
    try {
      return await attempt();
    } catch (error) {
      // Another replica was quicker; the next look shows it.
      if (!isKubeError(error, 'conflict', 'alreadyExists')) this.#options.onProblem(error);
      return false;
    }
  }

  async #take(): Promise<boolean> {
    const sent = performance.now();
    const lease = await this.#read();
    if (!lease) return this.#hold(sent, await this.#create());
    const holder = lease.spec?.holderIdentity;
    const isOurs = holder === this.#options.identity;
    if (holder && !isOurs && !this.#isExpired(lease)) return false;
    const spec = {
      ...this.#spec(),
      acquireTime: microTime(Date.now()),
      leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + (isOurs ? 0 : 1),
    };
    return this.#hold(performance.now(), await this.#put({ ...lease, spec }));
  }

  async #renew(): Promise<boolean> {
    const { lease } = this.#seen!;
    const sent = performance.now();
    try {
      return this.#hold(sent, await this.#put({ ...lease, spec: { ...lease.spec, ...this.#spec() } }));
    } catch (error) {
      if (!isKubeError(error, 'conflict', 'notFound')) throw error;
      // A renewal whose answer was lost, or somebody else's hand on it.
      const live = await this.#read();
      if (live && live.spec?.holderIdentity !== this.#options.identity) this.#heldUntil = 0;
      else if (!live) this.#hold(sent, await this.#create());
      return false;
    }
  }

  #hold(sent: number, lease: LeaseObject): boolean {
    this.#seen = { lease, at: performance.now() };
    this.#heldUntil = sent + this.#options.deadlineMs;
    return true;
  }

  #isExpired({ spec }: LeaseObject): boolean {
    const duration = Math.max((spec?.leaseDurationSeconds ?? 0) * 1000, this.#options.durationMs);
    return performance.now() - this.#seen!.at >= duration;
  }

  async #read(): Promise<LeaseObject | undefined> {
    const path = `${this.#collection}/${this.#options.name}`;
    const lease = await this.#call<LeaseObject>('GET', path).catch((error: unknown) => {
      if (isKubeError(error, 'notFound')) return undefined;
      throw error;
    });
    if (lease && lease.metadata.resourceVersion !== this.#seen?.lease.metadata.resourceVersion)
      this.#seen = { lease, at: performance.now() };
    return lease;
  }

  #spec(): LeaseObject['spec'] {
    const { identity, durationMs } = this.#options;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      renewTime: microTime(Date.now()),
    };
  }

  #create(): Promise<LeaseObject> {
    const spec = { ...this.#spec(), acquireTime: microTime(Date.now()), leaseTransitions: 0 };
    const { name, namespace } = this.#options;
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec };
    return this.#call<LeaseObject>('POST', this.#collection, body);
  }

  /** With the resourceVersion that was seen: the API server refuses it if anybody has written meanwhile. */
  #put(lease: LeaseObject): Promise<LeaseObject> {
    return this.#call<LeaseObject>('PUT', `${this.#collection}/${this.#options.name}`, lease);
  }

  async #write(lease: LeaseObject): Promise<boolean> {
    await this.#put(lease);
    return true;
  }

  #call<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
    const timeoutMs = this.#options.deadlineMs / 2;
    return this.#options.transport.call<T>(method, path, { timeoutMs, ...(body === undefined ? {} : { body }) });
  }
}

/** A transport that writes only while the Lease is held. */
export interface FencedTransport extends Transport {
  /** From now on nothing more is written. Resolves when what is under way has ended, which is before the Lease runs out. */
  lock(): Promise<void>;
}

/** Waits for no answer to a write longer than the Lease is held. Reads pass. */
export function fenced(transport: Transport, lease: Pick<Lease, 'remainingMs'>): FencedTransport {
  const writing = new Set<Promise<unknown>>();
  let isLocked = false;
  return {
    ...transport,
    async call<T>(...[method, path, options = {}]: Parameters<Transport['call']>) {
      if (method === 'GET') return transport.call<T>(method, path, options);
      const left = isLocked ? 0 : lease.remainingMs();
      if (left <= 0) throw new KubeError('unavailable', 0, { message: 'this replica may not act now' });
      const timeoutMs = Math.min(options.timeoutMs ?? TIMEOUT_MS, left);
      const write = transport.call<T>(method, path, { ...options, timeoutMs });
      writing.add(write);
      try {
        return await write;
      } finally {
        writing.delete(write);
      }
    },
    async lock() {
      isLocked = true;
      await Promise.allSettled(writing);
    },
  };
}
