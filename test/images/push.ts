import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildBaseLayer } from './base.ts';
import { buildLayer, digestOf } from './layer.ts';
import type { Entry, Layer } from './layer.ts';
import { describeConfig, describeManifest } from './manifest.ts';
import type { ImageConfig } from './manifest.ts';
import { uploadBlob, uploadManifest } from './upload.ts';

/** An image in a registry: the name to write into a Pod, and the digest of its manifest. */
export interface PushedImage {
  image: string;
  digest: string;
}

/** The repository that lends its base layer to the others. */
const WORKBENCH = 'workbench';

/** Pushes the test workbench under a version of the caller's choice; the same tag may be pushed again with another. */
export async function pushWorkbenchImage(options: {
  /** host:port */
  registry: string;
  repository?: string;
  version: string;
  tag?: string;
  env?: Record<string, string>;
  /** In place of the workbench's server, for images that are to fail. */
  command?: string[];
}): Promise<PushedImage> {
  const { registry, repository = WORKBENCH, version, tag = 'latest', env = {} } = options;
  const layers = await Promise.all([buildBaseLayer(), buildLayer(await listAppEntries(version))]);
  const config: ImageConfig = {
    user: '1000',
    entrypoint: options.command ?? ['/usr/local/bin/node', '/app/server.mjs'],
    workingDir: '/home/project',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/home/project', ...env },
    ports: [8888],
  };
  const lender = repository === WORKBENCH ? undefined : WORKBENCH;
  return pushImage({ registry, repository, tag, layers, config, ...(lender !== undefined && { lender }) });
}

/** Pushes the image of the Pod sandbox, made of one static binary, and returns its name. */
export async function pushPause(registry: string, binaryPath: string): Promise<string> {
  const layers = [await buildLayer([{ path: 'pause', mode: 0o755, copyOf: binaryPath }])];
  const config = { user: '65535:65535', entrypoint: ['/pause'] };
  const { image } = await pushImage({ registry, repository: 'pause', tag: 'latest', layers, config });
  return image;
}

export async function pushImage(options: {
  registry: string;
  repository: string;
  tag: string;
  layers: Layer[];
  config: ImageConfig;
  /** Another repository of the registry that may hold some of the layers already. */
  lender?: string;
}): Promise<PushedImage> {
  const { registry, repository, tag, layers, lender } = options;
  const to = { registry, repository };
  const bytes = Buffer.from(JSON.stringify(describeConfig(options.config, layers, process.arch)));
  const config = { digest: digestOf(bytes), size: bytes.length, read: () => Promise.resolve(bytes) };
  await Promise.all([...layers.map((layer) => uploadBlob(to, layer, lender)), uploadBlob(to, config)]);
  // The manifest comes last, for the registry refuses one that names blobs it does not hold.
  const digest = await uploadManifest(to, tag, describeManifest(config, layers));
  return { image: `${registry}/${repository}:${tag}`, digest };
}

async function listAppEntries(version: string): Promise<Entry[]> {
  const ws = dirname(createRequire(import.meta.url).resolve('ws/package.json'));
  const modules = ['package.json', 'index.js', 'wrapper.mjs', 'LICENSE'];
  for (const name of await readdir(join(ws, 'lib'))) modules.push(join('lib', name));
  return [
    { path: 'app/server.mjs', mode: 0o644, copyOf: join(import.meta.dirname, 'workbench', 'server.mjs') },
    { path: 'app/version', mode: 0o644, text: version },
    ...modules.map((name) => ({ path: join('app/node_modules/ws', name), mode: 0o644, copyOf: join(ws, name) })),
  ];
}
