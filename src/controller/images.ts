/**
 * What the tags of images stand for. A start asks the registry first and runs the digest, so that a container which restarts
 * in its Pod cannot slip to a newer push; and now and then it is asked whether there is a newer one than runs.
 */
import type { Registry, RegistryError } from '../registry/registry.ts';
import { locate } from '../workbench/image.ts';
import type { ImageSource } from '../workbench/image.ts';

export interface ImagesOptions {
  registry: Pick<Registry, 'digest'>;
  /** How often the images of running workbenches are asked for, ms. 0: only at a start. */
  everyMs: number;
  /** Told when the answer for an image that a workbench runs has changed. */
  onChange: (key: string) => void;
  /** Told of each question that a registry did not answer. */
  onProblem: (registry: string, error: Error) => void;
}

/** A registry of which nothing was heard delays no start for so long. */
const SILENT_MS = 60_000;

interface Followed {
  source: ImageSource;
  /** Who runs it. */
  keys: Set<string>;
  digest?: string;
}

export class Images {
  readonly #options: ImagesOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #images = new Map<string, string>();
  /** Asked already: what is pushed now may not be in its answer. */
  readonly #asked = new Map<string, Promise<unknown>>();
  /** Asked next, for all who have come since. */
  readonly #next = new Map<string, Promise<string | undefined>>();
  readonly #silentUntil = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ImagesOptions) {
    this.#options = options;
  }

  /** The digest that the tag stands for, asked after this call; undefined: the registry cannot be asked. Never rejects. */
  resolve(source: ImageSource): Promise<string | undefined> {
    const id = idOf(source);
    const next = this.#next.get(id) ?? this.#askAfter(this.#asked.get(id), id, source);
    this.#next.set(id, next);
    return next;
  }

  async #askAfter(asked: Promise<unknown> | undefined, id: string, source: ImageSource): Promise<string | undefined> {
    await asked;
    const answer = this.#answer(source);
    this.#asked.set(id, answer);
    this.#next.delete(id);
    const digest = await answer;
    if (this.#asked.get(id) === answer) this.#asked.delete(id);
    if (digest !== undefined) this.#learn(id, digest);
    return digest;
  }

  /** The newest that is known of the image of a workbench. */
  newest(key: string): string | undefined {
    return this.#followed.get(this.#images.get(key) ?? '')?.digest;
  }

  /** This workbench runs this image; from now on changes of it are told. */
  follow(key: string, source: ImageSource): void {
    const id = idOf(source);
    if (this.#images.get(key) === id) return;
    this.forget(key);
    this.#images.set(key, id);
    const followed = this.#followed.get(id);
    if (followed) followed.keys.add(key);
    else {
      this.#followed.set(id, { source, keys: new Set([key]) });
      void this.resolve(source);
    }
    this.#timer ??= this.#options.everyMs > 0 ? setInterval(() => this.#askAll(), this.#options.everyMs) : undefined;
  }

  forget(key: string): void {
    const id = this.#images.get(key) ?? '';
    this.#images.delete(key);
    const followed = this.#followed.get(id);
    followed?.keys.delete(key);
    if (followed?.keys.size === 0) this.#followed.delete(id);
  }

  forgetAll(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#followed.clear();
    this.#images.clear();
  }

  #askAll(): void {
    for (const { source } of this.#followed.values()) void this.resolve(source);
  }

  async #answer({ image, secrets }: ImageSource): Promise<string | undefined> {
    const { registry } = locate(image);
    if (performance.now() < (this.#silentUntil.get(registry) ?? 0)) return undefined;
    try {
      return await this.#options.registry.digest(image, secrets);
    } catch (error) {
      if ((error as RegistryError).isSilent) this.#silentUntil.set(registry, performance.now() + SILENT_MS);
      this.#options.onProblem(registry, error as Error);
      return undefined;
    }
  }

  #learn(id: string, digest: string): void {
    const followed = this.#followed.get(id);
    if (!followed || followed.digest === digest) return;
    followed.digest = digest;
    for (const key of followed.keys) this.#options.onChange(key);
  }
}

function idOf({ image, secrets = [] }: ImageSource): string {
  return JSON.stringify([image, ...secrets]);
}
