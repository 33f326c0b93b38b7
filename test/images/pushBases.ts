import { buildBaseLayer } from './base.ts';
import { buildBuildLayer } from './buildBase.ts';
import { pushImage } from './push.ts';
import type { PushedImage } from './push.ts';

/** What a finished image may stand on: Node and its C library, no shell, users 1000 and 65532. */
export async function pushRuntimeBase(registry: string): Promise<PushedImage> {
  const config = { env: { PATH: '/usr/local/bin:/usr/bin:/bin' } };
  return pushImage({
    registry,
    repository: 'runtime-base',
    tag: 'latest',
    layers: [await buildBaseLayer()],
    config,
    lender: 'workbench',
  });
}

/** What a build stage may stand on: a small Debian with the same Node and with npm. */
export async function pushBuildBase(registry: string, report?: (line: string) => void): Promise<PushedImage> {
  const config = { env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' } };
  return pushImage({
    registry,
    repository: 'build-base',
    tag: 'latest',
    layers: [await buildBuildLayer(report)],
    config,
  });
}
