/**
 * The passwords that pull images, from the Secrets that the administrator names; read only where a Role of its own allows it.
 * Kept in memory for a minute, and shown to nobody but the registry that they are for.
 */
import type { Transport } from './transport.ts';

interface Login {
  username: string;
  password: string;
}

const KEPT_MS = 60_000;
const DOCKER_CONFIG = '.dockerconfigjson';

export class PullSecrets {
  readonly #transport: Pick<Transport, 'call'>;
  readonly #namespace: string;
  readonly #read = new Map<string, { at: number; logins: Promise<Map<string, Login>> }>();

  constructor(transport: Pick<Transport, 'call'>, namespace: string) {
    this.#transport = transport;
    this.#namespace = namespace;
  }

  /** The first of these Secrets that has one for this registry. @throws KubeError */
  async login(names: readonly string[], registry: string): Promise<Login | undefined> {
    for (const name of names) {
      const login = (await this.#logins(name)).get(registry);
      if (login) return login;
    }
    return undefined;
  }

  #logins(name: string): Promise<Map<string, Login>> {
    const known = this.#read.get(name);
    if (known && performance.now() - known.at < KEPT_MS) return known.logins;
    const logins = this.#fetch(name);
    this.#read.set(name, { at: performance.now(), logins });
    logins.catch(() => this.#read.delete(name));
    return logins;
  }

  async #fetch(name: string): Promise<Map<string, Login>> {
    const path = `/api/v1/namespaces/${encodeURIComponent(this.#namespace)}/secrets/${encodeURIComponent(name)}`;
    const { data } = await this.#transport.call<{ data?: Record<string, string> }>('GET', path, { timeoutMs: 2_000 });
    return loginsIn(Buffer.from(data?.[DOCKER_CONFIG] ?? '', 'base64').toString());
  }
}

/** What `kubectl create secret docker-registry` writes, and `docker login` before it; of anything else nothing is taken. */
export function loginsIn(text: string): Map<string, Login> {
  const logins = new Map<string, Login>();
  for (const [server, entry] of Object.entries(authsIn(text))) {
    const [username, ...rest] = Buffer.from(String(entry?.auth ?? ''), 'base64')
      .toString()
      .split(':');
    const login = { username: entry?.username ?? username, password: entry?.password ?? rest.join(':') };
    if (login.username && login.password) logins.set(registryOf(server), login as Login);
  }
  return logins;
}

function authsIn(text: string): Record<string, { auth?: string; username?: string; password?: string } | null> {
  try {
    return ((JSON.parse(text) as { auths?: object | null }).auths as ReturnType<typeof authsIn>) ?? {};
  } catch {
    return {};
  }
}

/** "https://index.docker.io/v1/" is how Docker Hub is written there. */
function registryOf(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}
