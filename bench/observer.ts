/** Sees what everybody can see, by watches of its own: when Pods are Ready and when workbenches are Running. */
import { KINDS, collectionPath } from '../src/kube/kinds.ts';
import type { Kind } from '../src/kube/kinds.ts';
import { Reflector } from '../src/kube/reflector.ts';
import type { Transport } from '../src/kube/transport.ts';
import type { KubeObject, Pod } from '../src/workbench/objects.ts';
import { controllerOf } from '../src/workbench/identity.ts';
import { isReady } from '../src/workbench/phase.ts';
import type { Phase, Workbench } from '../src/workbench/resource.ts';
import { NAMESPACE } from './portal.ts';

export class Observer {
  /** When first, by the workbench's name, on the clock of performance.now(). */
  readonly podMadeAt = new Map<string, number>();
  readonly podReadyAt = new Map<string, number>();
  readonly runningAt = new Map<string, number>();
  /** Changes of Workbenches that were seen after they were made. */
  changes = 0;
  /** Pods that are there and whose workbench is not Running yet, at most at a time. */
  mostInFlight = 0;
  readonly #phases = new Map<string, Phase | 'gone'>();
  readonly #awaited = new Map<string, { phase: Phase | 'gone'; resolve: () => void }>();
  readonly #stopping = new AbortController();
  readonly #ended: Promise<unknown>;
  readonly #transport: Transport;
  readonly synced: Promise<unknown>;

  /** With Pods it costs this machine three times as much. */
  constructor(transport: Transport, { pods }: { pods: boolean }) {
    this.#transport = transport;
    const reflectors = [
      this.#watch<Workbench>(
        'Workbench',
        (workbench) => this.#sawWorkbench(workbench),
        ({ metadata }) => this.#tell(metadata.name, 'gone'),
      ),
      ...(pods ? [this.#watch<Pod>('Pod', (pod) => this.#sawPod(pod))] : []),
    ];
    this.#ended = Promise.all(reflectors.map((reflector) => reflector.run()));
    this.synced = Promise.all(reflectors.map((reflector) => reflector.synced));
  }

  /**
   * Resolves when all of them are there. One call at a time may await a workbench.
   * @throws Error that says how many are not
   */
  async until(names: readonly string[], phase: Phase | 'gone', timeoutMs = 60_000): Promise<void> {
    const missing = () => names.filter((name) => this.#phases.get(name) !== phase);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new Error(`${missing().length} of ${names.length} are not ${phase} after ${timeoutMs / 1000} s.`));
    }, timeoutMs);
    const arrivals = missing().map(
      (name) => new Promise<void>((resolve) => this.#awaited.set(name, { phase, resolve })),
    );
    await Promise.race([Promise.all(arrivals), late.promise]).finally(() => clearTimeout(timer));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  #watch<T extends KubeObject>(
    kind: Kind,
    saw: (object: T) => void,
    sawDeleted?: (object: T) => void,
  ): Reflector<KubeObject> {
    return new Reflector<KubeObject>({
      info: { kind, trim: (object) => object },
      path: collectionPath(kind, NAMESPACE),
      transport: this.#transport,
      collection: {
        saw: (object) => saw(object as T),
        replace: (objects) => objects.forEach((object) => saw(object as T)),
        sawDeleted: (object) => sawDeleted?.(object as T),
        advance: () => undefined,
      },
      signal: this.#stopping.signal,
      onProblem: ({ error }) => process.stderr.write(`the watch of ${KINDS[kind].plural}: ${String(error)}\n`),
    });
  }

  #sawWorkbench({ metadata: { name }, status }: Workbench): void {
    if (status?.conditions !== undefined) this.changes += 1;
    if (status?.phase === 'Running' && !this.runningAt.has(name)) this.runningAt.set(name, performance.now());
    this.#tell(name, status?.phase);
  }

  #tell(name: string, phase: Phase | 'gone' | undefined): void {
    if (phase === undefined) return;
    this.#phases.set(name, phase);
    const awaited = this.#awaited.get(name);
    if (awaited?.phase !== phase) return;
    this.#awaited.delete(name);
    awaited.resolve();
  }

  #sawPod(pod: Pod): void {
    const name = controllerOf(pod)?.name;
    if (name === undefined) return;
    if (!this.podMadeAt.has(name)) this.podMadeAt.set(name, performance.now());
    if (isReady(pod) && !this.podReadyAt.has(name)) this.podReadyAt.set(name, performance.now());
    this.mostInFlight = Math.max(this.mostInFlight, this.podMadeAt.size - this.runningAt.size);
  }
}
