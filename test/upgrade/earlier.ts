/** The manifests and the program of 2026-11-26, as they were shipped: what an upgrade begins with. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { InstallOptions } from '../installation.ts';

const SPINE = join(import.meta.dirname, 'spine');

/** @param dir where the program is unpacked */
export function earlierVersion(dir: string): Required<Pick<InstallOptions, 'program' | 'manifests'>> {
  const program = join(dir, 'spine.mjs');
  writeFileSync(program, gunzipSync(readFileSync(join(SPINE, 'controller.mjs.gz'))));
  return { program, manifests: { kinds: join(SPINE, 'kinds.yaml'), roles: join(SPINE, 'roles.yaml') } };
}
