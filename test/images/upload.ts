import { digestOf } from './layer.ts';
import { MANIFEST_TYPE } from './manifest.ts';

/** A repository of a registry that speaks plain HTTP, as one on the loopback device may. */
export interface Repository {
  /** host:port */
  registry: string;
  repository: string;
}

export interface Blob {
  digest: string;
  read: () => Promise<Buffer>;
}

/** Puts a blob into the repository by the cheapest way: it is there, another repository lends it, or its bytes are sent. */
export async function uploadBlob(to: Repository, blob: Blob, lender?: string): Promise<void> {
  const found = await call(to, `blobs/${blob.digest}`, { method: 'HEAD' }, [200, 404]);
  if (found.status === 200) return;

  const query = lender === undefined ? '' : `?${new URLSearchParams({ mount: blob.digest, from: lender }).toString()}`;
  const opened = await call(to, `blobs/uploads/${query}`, { method: 'POST' }, [201, 202]);
  if (opened.status === 201) return;

  const location = opened.headers.get('location');
  if (location === null) throw new Error(`${to.registry} opened an upload without saying where`);
  const target = new URL(location, opened.url);
  target.searchParams.set('digest', blob.digest);
  const headers = { 'content-type': 'application/octet-stream' };
  await send(target, { method: 'PUT', headers, body: new Uint8Array(await blob.read()) }, [201]);
}

/** Points the tag at the manifest and returns the manifest's digest. */
export async function uploadManifest(to: Repository, tag: string, manifest: object): Promise<string> {
  const body = JSON.stringify(manifest);
  await call(to, `manifests/${tag}`, { method: 'PUT', headers: { 'content-type': MANIFEST_TYPE }, body }, [201]);
  return digestOf(body);
}

function call({ registry, repository }: Repository, path: string, init: RequestInit, expected: number[]) {
  return send(new URL(`http://${registry}/v2/${repository}/${path}`), init, expected);
}

async function send(url: URL, init: RequestInit, expected: number[]): Promise<Response> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new Error(`${init.method} ${url.href} got no answer`, { cause });
  });
  // Read to the end in any case: an unread body would keep its connection from being used again.
  const text = await response.text();
  if (expected.includes(response.status)) return response;
  throw new Error(`${init.method} ${url.href} answered ${response.status}: ${text}`);
}
