/**
 * Whether the public URL really leads to the Pod. Ready is not reached: an Ingress controller lags a second behind (measured),
 * so the address is asked until it answers as the Pod itself does. Once each time that a Pod becomes ready, and never while it is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, buildConnector, request } from 'undici';
import { basePath, publicEndpoint } from '../workbench/identity.ts';
import { PAGE_HEADER } from '../workbench/ingress.ts';
import type { Pod } from '../workbench/objects.ts';
import { isStripped } from '../workbench/pod.ts';
import type { Reach } from '../workbench/assess.ts';
import type { Settings } from '../workbench/settings.ts';

export interface Answer {
  status: number;
  isStatePage: boolean;
  server: string | undefined;
}

export interface VerifierOptions {
  settings: Settings;
  /** "host:port" where the Ingress is reached from here, with the public host name kept. */
  address?: string;
  /** Matching answers in a row, each on a fresh connection. */
  count: number;
  /** Makes the token with which the guard lets this check pass; undefined: nothing guards the public URLs. */
  probe?: (key: string) => Promise<string>;
  /** Told when the result for a key has changed. */
  onChange: (key: string) => void;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** Once a person has been told, there is no hurry. */
const FAILED_PAUSE_MS = 5_000;
const ANSWER_MS = 5_000;

/** Why two answers to the same path do not come from the same place; undefined: the public URL leads to the Pod. */
export function mismatch(fromPublic: Answer | Error, fromPod: Answer | Error): string | undefined {
  if (fromPod instanceof Error) return `the Pod itself does not answer (${reasonOf(fromPod)})`;
  if (fromPublic instanceof Error) return `the public address does not answer (${reasonOf(fromPublic)})`;
  const seen = `${fromPublic.status} by ${fromPublic.server ?? 'an unnamed server'}`;
  if (fromPublic.isStatePage) return "the public address still shows this controller's own page";
  if (fromPublic.status >= 502 && fromPublic.status <= 504) return `the public address answers ${seen}`;
  if (fromPublic.status !== fromPod.status)
    return `the public address answers ${seen}, the Pod itself ${fromPod.status}`;
  return undefined;
}

/** Of several addresses that were tried in vain the error has no message, only a code. */
function reasonOf(error: Error): string {
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

/** What was found, where it is not as it must be; at once, if waiting will not mend it. */
type Found = { problem: string; reason?: 'Unguarded' };

export class Verifier {
  readonly #options: VerifierOptions;
  readonly #asking = new Map<
    string,
    { podUID: string; podIP: string | undefined; abort: AbortController; reach?: Reach }
  >();
  readonly #public: Agent;
  readonly #direct = new Agent({ connect: { timeout: ANSWER_MS } });

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#public = new Agent({ connect: connectorTo(options.address) });
  }

  reach(key: string): Reach | undefined {
    return this.#asking.get(key)?.reach;
  }

  /** Begins to ask for this Pod, unless that is under way, until it has answered for so long without a miss. */
  ask(key: string, pod: Pod, steadyMs = 0): void {
    const podUID = pod.metadata.uid ?? '';
    const podIP = pod.status?.podIP;
    const asking = this.#asking.get(key);
    // A sandbox that is made anew has another address.
    if (asking?.podUID === podUID && asking.podIP === podIP) return;
    this.forget(key);
    const abort = new AbortController();
    this.#asking.set(key, { podUID, podIP, abort });
    // Rejects only when aborted; a fault of the network is an answer.
    void this.#run(key, pod, steadyMs, abort.signal).catch(() => undefined);
  }

  forget(key: string): void {
    this.#asking.get(key)?.abort.abort();
    this.#asking.delete(key);
  }

  forgetAll(): void {
    for (const key of this.#asking.keys()) this.forget(key);
  }

  async stop(): Promise<void> {
    this.forgetAll();
    await Promise.all([this.#public.destroy(), this.#direct.destroy()]);
  }

  async #run(key: string, pod: Pod, steadyMs: number, signal: AbortSignal): Promise<void> {
    const { settings, count } = this.#options;
    const deadline = performance.now() + settings.verifyTimeoutMs;
    const podUID = pod.metadata.uid ?? '';
    let pause = FIRST_PAUSE_MS;
    let inARow = 0;
    let since = 0;
    for (;;) {
      const found = await this.#compare(key, pod, signal);
      signal.throwIfAborted();
      const now = performance.now();
      if (found) inARow = 0;
      else if (inARow++ === 0) since = now;
      const isSteady = now - since >= steadyMs;
      if (inARow >= count && isSteady) break;
      if (found && (now > deadline || found.reason !== undefined)) {
        this.#tell(key, { podUID, ok: false, ...found, problem: this.#sentence(key, found) });
        pause = FAILED_PAUSE_MS;
      }
      if (!found && isSteady) continue;
      await delay(pause, undefined, { signal });
      pause = Math.min(pause * 1.3, Math.max(LONGEST_PAUSE_MS, pause));
    }
    this.#tell(key, { podUID, ok: true });
  }

  #tell(key: string, reach: Reach): void {
    const entry = this.#asking.get(key);
    if (entry?.podUID !== reach.podUID) return;
    entry.reach = reach;
    this.#options.onChange(key);
  }

  #sentence(key: string, { problem, reason }: Found): string {
    const { settings } = this.#options;
    const where = settings.verify === 'public' ? publicEndpoint(key, settings) : 'The Pod';
    return reason === undefined ? `${where} does not lead to the workbench: ${problem}.` : `${where} ${problem}.`;
  }

  async #compare(key: string, pod: Pod, signal: AbortSignal): Promise<Found | undefined> {
    const { settings, probe } = this.#options;
    const address = pod.status?.podIP?.includes(':') ? `[${pod.status.podIP}]` : pod.status?.podIP;
    const port = pod.spec?.containers[0]?.ports?.[0]?.containerPort ?? settings.port;
    const direct = `http://${address}:${port}${isStripped(pod) ? '/' : basePath(key, settings)}`;
    const url = publicEndpoint(key, settings);
    const host: Record<string, string> = settings.baseUrl ? { host: new URL(url).host } : {};
    const fromPod = await this.#get(direct, this.#direct, signal, host);
    if (settings.verify === 'private')
      return finding(fromPod instanceof Error ? mismatch(fromPod, fromPod) : undefined);
    const token = await probe?.(key);
    const bearer: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const problem = mismatch(await this.#get(url, this.#public, signal, bearer), fromPod);
    if (problem !== undefined || token === undefined) return finding(problem);
    const asStranger = await this.#get(url, this.#public, signal);
    const difference = mismatch(asStranger, fromPod);
    if (difference === undefined) return UNGUARDED;
    if (asStranger instanceof Error) return finding(difference);
    // Turned away, and that by the guard: any other answer may be a moment's.
    if (asStranger.isStatePage || [401, 403].includes(asStranger.status)) return undefined;
    return finding(`a stranger is not turned away there, but answered ${asStranger.status}`);
  }

  /** Redirects are not followed, and the body is dropped: only who answers counts. */
  async #get(
    url: string,
    dispatcher: Agent,
    signal: AbortSignal,
    own: Record<string, string> = {},
  ): Promise<Answer | Error> {
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher,
        reset: true,
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
        headers: { 'user-agent': 'workbench-controller (endpoint check)', ...own },
      });
      await body.dump({ limit: 64 * 1024 });
      return { status: statusCode, isStatePage: PAGE_HEADER in headers, server: headers.server?.toString() };
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

const finding = (problem: string | undefined): Found | undefined => (problem === undefined ? undefined : { problem });

const UNGUARDED: Found = {
  reason: 'Unguarded',
  problem: 'opens for everybody: no guard is asked before it, so its middleware is missing in INGRESS_ANNOTATIONS',
};

/** Every connection goes to one address, while TLS and the Host header still speak of the public name. */
function connectorTo(address: string | undefined): buildConnector.connector {
  const connector = buildConnector({ timeout: ANSWER_MS });
  if (!address) return connector;
  const [, hostname, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  return (options, callback) => connector({ ...options, hostname: hostname!, port: port! }, callback);
}
