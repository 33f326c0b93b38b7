import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { holdBuildLock } from '../cluster/binaries/buildLock.ts';
import { imageCache, keepLayer, readCachedLayer } from './cachedLayer.ts';
import { installBuildTools } from './installBuildTools.ts';
import type { Layer, PackedLayer } from './layer.ts';

/** The layer that is kept under `<kind>-<key>`; made now, with a line before and after, when there is none. */
export async function makeOnce(options: {
  kind: string;
  /** What stands for everything that the layer is made of. */
  key: string;
  /** As in "the build image: Debian, Node and npm". */
  what: string;
  /** In an empty folder that is removed afterwards. */
  make: (draft: string) => Promise<PackedLayer>;
  report: (line: string) => void;
  /** May Debian packages be installed? By default unless `--no-install` of `npm test` says no. */
  install?: boolean | undefined;
}): Promise<Layer> {
  const { kind, what, make, report } = options;
  const name = `${kind}-${options.key}`;
  const kept = await readCachedLayer(name);
  if (kept !== undefined) return kept;

  await installBuildTools(report, options.install);
  await mkdir(imageCache(), { recursive: true });
  // One draft under one lock: what a killed run left of it is in nobody's way and is gone with the next.
  const draft = join(imageCache(), `${kind}.draft`);
  const release = await holdBuildLock(`${draft}.lock`, () => report(`another run is making ${what}; waiting for it`));
  try {
    const meanwhile = await readCachedLayer(name);
    if (meanwhile !== undefined) return meanwhile;
    report(`making ${what} (once; it is kept in ${imageCache()})`);
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    const layer = await keepLayer(name, await make(draft));
    report(`made it, ${Math.round(layer.size / 1e6)} MB`);
    return layer;
  } finally {
    await rm(draft, { recursive: true, force: true });
    release();
  }
}
