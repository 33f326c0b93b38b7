import type { Layer } from './layer.ts';

/** What a container of the image runs as, unless its Pod says otherwise. */
export interface ImageConfig {
  user?: string;
  entrypoint?: string[];
  workingDir?: string;
  env?: Record<string, string>;
  ports?: number[];
}

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

const epoch = '1970-01-01T00:00:00Z';

/** OCI speaks of architectures as Go does. */
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** The image's config document; without a date of its own, so that the same image has the same digest each time. */
export function describeConfig(config: ImageConfig, layers: Pick<Layer, 'diffId'>[], arch: string): object {
  const architecture = ARCHITECTURES[arch];
  if (architecture === undefined) throw new Error(`No workbench image can be made for the architecture ${arch}`);
  return {
    created: epoch,
    architecture,
    os: 'linux',
    config: {
      ...(config.user !== undefined && { User: config.user }),
      ...(config.ports && { ExposedPorts: Object.fromEntries(config.ports.map((port) => [`${port}/tcp`, {}])) }),
      ...(config.env && { Env: Object.entries(config.env).map(([name, value]) => `${name}=${value}`) }),
      ...(config.entrypoint && { Entrypoint: config.entrypoint }),
      ...(config.workingDir !== undefined && { WorkingDir: config.workingDir }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    // One entry per layer: a builder that keeps layers, and is given such an image as a base, counts them.
    history: layers.map(() => ({ created: epoch, created_by: 'test/images' })),
  };
}

export function describeManifest(
  config: { digest: string; size: number },
  layers: Pick<Layer, 'digest' | 'size'>[],
): object {
  return {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: config.digest, size: config.size },
    layers: layers.map(({ digest, size }) => ({ mediaType: LAYER_TYPE, digest, size })),
  };
}
