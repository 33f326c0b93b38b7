/** Opens a workbench's public URL as a browser would, through the Ingress. */
export interface Page {
  status: number;
  /** The headers of the test image; absent when something else answered. */
  version: string | null;
  id: string | null;
  pod: string | null;
  /** Set by the controller's own page. */
  state: string | null;
  retryAfter: string | null;
  text: string;
}

/**
 * Longer than an Ingress controller that has not heard yet of a Pod's end may wait for it, where the address is not refused but
 * silent (Traefik's dialTimeout, half a minute): a busy machine is no answer.
 */
const PATIENCE_MS = 40_000;
/** As long as a person looks at a blank page before reloading it. */
const GLANCE_MS = 3_000;

/** Resolves with status 0 when nothing came, or the connection was not taken. */
export async function open(url: string, patienceMs = PATIENCE_MS): Promise<Page> {
  try {
    return await fetchPage(url, patienceMs);
  } catch (error) {
    const nothing = { version: null, id: null, pod: null, state: null, retryAfter: null };
    return { status: 0, ...nothing, text: String((error as Error).cause ?? error) };
  }
}

/** For who looks again and again. */
export const glance = (url: string) => open(url, GLANCE_MS);

async function fetchPage(url: string, patienceMs: number): Promise<Page> {
  const signal = AbortSignal.timeout(patienceMs);
  const response = await fetch(url, { redirect: 'manual', headers: { connection: 'close' }, signal });
  const header = (name: string) => response.headers.get(name);
  return {
    status: response.status,
    version: header('x-workbench-version'),
    id: header('x-workbench-id'),
    pod: header('x-workbench-pod'),
    state: header('workbench-status'),
    retryAfter: header('retry-after'),
    text: await response.text(),
  };
}
