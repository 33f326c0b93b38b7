import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from './layer.ts';
import type { Layer, PackedLayer } from './layer.ts';

/** Where what images are made of is kept between runs; everything in there can be removed and is made anew. */
export function imageCache(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'workbench-controller', 'images');
}

/** The layer that was kept under this name; undefined when there is none. */
export async function readCachedLayer(name: string): Promise<Layer | undefined> {
  const folder = join(imageCache(), name);
  try {
    const facts = JSON.parse(await readFile(join(folder, 'layer.json'), 'utf8')) as Omit<Layer, 'read'>;
    return { ...facts, read: () => readFile(join(folder, 'layer.tar.gz')) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function keepLayer(name: string, { bytes, diffId }: PackedLayer): Promise<Layer> {
  const facts = { digest: digestOf(bytes), diffId, size: bytes.length };
  const cache = imageCache();
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, 'draft-'));
  try {
    await writeFile(join(draft, 'layer.tar.gz'), bytes);
    await writeFile(join(draft, 'layer.json'), JSON.stringify(facts));
    await rename(draft, join(cache, name));
  } catch (error) {
    // Another process kept the same layer meanwhile; ours is as good as its.
    if (!['ENOTEMPTY', 'EEXIST'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return { ...facts, read: () => Promise.resolve(bytes) };
}
