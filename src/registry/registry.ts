/**
 * What a registry says of a tag, over its HTTP API: one HEAD of the manifest, with the token that it wants first. Nothing is
 * pulled. https://distribution.github.io/distribution/spec/api/ and its token authentication.
 */
import { Agent, request } from 'undici';
import type { Dispatcher } from 'undici';
import { locate } from '../workbench/image.ts';
import { parseChallenge } from './challenge.ts';
import type { Challenge } from './challenge.ts';

export interface Credentials {
  username: string;
  password: string;
}

export interface RegistryOptions {
  /** Where a registry is reached, if not at https://<its name>: its name in an image → a URL. */
  addresses?: Readonly<Record<string, string>>;
  /** Of one of these Secrets, for this registry; absent: everybody is asked as nobody. May reject. */
  credentials?: (secrets: readonly string[], registry: string) => Promise<Credentials | undefined>;
  /** For a whole question, tokens included. Default 3 s: somebody waits for it. */
  timeoutMs?: number;
}

/** Why there is no answer, in words for a log. */
export class RegistryError extends Error {
  override name = 'RegistryError';
  /** Nothing was heard of it: whoever asks again waits again. */
  readonly isSilent: boolean;

  constructor(message: string, { isSilent = false, cause }: { isSilent?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.isSilent = isSilent;
  }
}

/** An index is the answer where there is one, as for whoever pulls. */
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const DIGEST = /^sha256:[a-f0-9]{64}$/;
const LONGEST_ANSWER = 64 * 1024;

export class Registry {
  readonly #options: RegistryOptions;
  readonly #timeoutMs: number;
  readonly #agent: Agent;

  constructor(options: RegistryOptions = {}) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 3_000;
    this.#agent = new Agent({ allowH2: false, connect: { timeout: this.#timeoutMs }, maxResponseSize: LONGEST_ANSWER });
  }

  /**
   * The digest that this tag stands for now.
   * @param secrets names of those that may pull it
   * @throws RegistryError
   */
  async digest(image: string, secrets: readonly string[] = []): Promise<string> {
    const { registry, repository, reference } = locate(image);
    const origin = this.#options.addresses?.[registry] ?? `https://${API_HOSTS[registry] ?? registry}`;
    const url = `${origin}/v2/${repository}/manifests/${reference}`;
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      let answer = await this.#send('HEAD', url, signal, { accept: MANIFESTS });
      if (answer.statusCode === 401) {
        const authorization = await this.#authorize(answer, { registry, repository, secrets }, signal);
        answer = await this.#send('HEAD', url, signal, { accept: MANIFESTS, authorization });
      }
      const digest = answer.headers['docker-content-digest'];
      if (answer.statusCode === 200 && typeof digest === 'string' && DIGEST.test(digest)) return digest;
      throw new RegistryError(
        answer.statusCode === 200 ? 'it names no digest' : `it answered ${answer.statusCode} for "${image}"`,
      );
    } catch (error) {
      if (error instanceof RegistryError) throw error;
      const { message, code, name } = error as NodeJS.ErrnoException;
      throw new RegistryError(message || (code ?? name), { isSilent: true, cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #authorize(
    refused: Dispatcher.ResponseData,
    { registry, repository, secrets }: { registry: string; repository: string; secrets: readonly string[] },
    signal: AbortSignal,
  ): Promise<string> {
    const challenge = parseChallenge(refused.headers['www-authenticate']);
    if (!challenge) throw new RegistryError('it refuses, and asks for nothing that is known here');
    const known = await this.#login(secrets, registry);
    const basic = known && `Basic ${Buffer.from(`${known.username}:${known.password}`).toString('base64')}`;
    if (challenge.scheme === 'basic') {
      if (basic === undefined) throw new RegistryError('it asks for a password');
      return basic;
    }
    return `Bearer ${await this.#token(challenge, `repository:${repository}:pull`, basic, signal)}`;
  }

  async #login(secrets: readonly string[], registry: string): Promise<Credentials | undefined> {
    if (secrets.length === 0) return undefined;
    try {
      return await this.#options.credentials?.(secrets, registry);
    } catch (error) {
      throw new RegistryError(`its password cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }

  async #token(challenge: Challenge, scope: string, basic: string | undefined, signal: AbortSignal): Promise<string> {
    const { realm, service } = challenge;
    if (realm === undefined || !URL.canParse(realm)) throw new RegistryError('it names no place that gives tokens');
    const url = new URL(realm);
    // A password never goes in the clear to a place that the registry has named.
    if (basic !== undefined && url.protocol !== 'https:' && !this.#isConfigured(url))
      throw new RegistryError(`it sends passwords to ${url.origin}, which is not encrypted`);
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', scope);
    const answer = await this.#send('GET', url.href, signal, basic === undefined ? {} : { authorization: basic });
    if (answer.statusCode !== 200) throw new RegistryError(`${url.host} gives no token: ${answer.statusCode}`);
    const given = tokenIn(answer.text);
    if (given === undefined) throw new RegistryError(`${url.host} gives no token`);
    return given;
  }

  #isConfigured({ origin }: URL): boolean {
    return Object.values(this.#options.addresses ?? {}).some((address) => new URL(address).origin === origin);
  }

  async #send(
    method: 'GET' | 'HEAD',
    url: string,
    signal: AbortSignal,
    headers: Record<string, string>,
  ): Promise<Dispatcher.ResponseData & { text: string }> {
    const sent = { 'user-agent': 'workbench-controller', ...headers };
    const answer = await request(url, { method, headers: sent, signal, dispatcher: this.#agent });
    return Object.assign(answer, { text: await answer.body.text() });
  }
}

/** Whose name in an image is not the name of their API. */
const API_HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

function tokenIn(text: string): string | undefined {
  try {
    const { token, access_token: other } = JSON.parse(text) as Record<'token' | 'access_token', unknown>;
    return [token, other].find((value) => typeof value === 'string') as string | undefined;
  } catch {
    return undefined;
  }
}
