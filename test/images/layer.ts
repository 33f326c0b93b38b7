import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** One blob of an image as the registry knows it, and the way to its bytes, read only when the registry lacks it. */
export interface Layer {
  digest: string;
  /** The digest of the tar before compression, which the image's config names. */
  diffId: string;
  size: number;
  read: () => Promise<Buffer>;
}

/** One path of a layer: a copy of a file, a text, or, with neither, a directory. */
export interface Entry {
  path: string;
  mode: number;
  copyOf?: string;
  text?: string;
}

export interface PackedLayer {
  bytes: Buffer;
  diffId: string;
}

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Packs entries into a tar.gz whose bytes depend on nothing but the entries: same input, same digest. */
export async function packLayer(entries: Entry[]): Promise<PackedLayer> {
  const root = await mkdtemp(join(tmpdir(), 'image-layer-'));
  try {
    await stage(root, entries);
    return await packDirectory(root, ['--owner=0', '--group=0']);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** A layer whose bytes are at hand. */
export async function buildLayer(entries: Entry[]): Promise<Layer> {
  const { bytes, diffId } = await packLayer(entries);
  return { digest: digestOf(bytes), diffId, size: bytes.length, read: () => Promise.resolve(bytes) };
}

async function stage(root: string, entries: Entry[]): Promise<void> {
  const modes = new Map<string, number>();
  for (const entry of entries) {
    const target = join(root, entry.path);
    for (let parent = dirname(target); parent !== root; parent = dirname(parent)) {
      modes.set(parent, modes.get(parent) ?? 0o755);
    }
    modes.set(target, entry.mode);
    await mkdir(dirname(target), { recursive: true });
    if (entry.copyOf !== undefined) await copyFile(entry.copyOf, target);
    else if (entry.text !== undefined) await writeFile(target, entry.text);
    else await mkdir(target, { recursive: true });
  }
  // The modes come last and by chmod, since the umask of whoever runs the tests would colour those given to mkdir.
  for (const [path, mode] of modes) await chmod(path, mode);
}

/** Packs what is in a directory; `owners` are tar's flags for whom it belongs to, by default whom it does there. */
export async function packDirectory(root: string, owners: string[] = []): Promise<PackedLayer> {
  // The top-level names rather than `.`, so that the temporary directory's own mode stays out of the image.
  const names = (await readdir(root)).toSorted();
  const sameForAll = ['--sort=name', '--mtime=@0', ...owners, '--numeric-owner'];
  const tar = spawn('tar', ['--create', '--format=gnu', ...sameForAll, '--', ...names], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
  });
  const plain = createHash('sha256');
  const chunks: Buffer[] = [];
  // Level 1: the layer crosses the loopback device only, so the time to compress is worth more than its size.
  const packing = pipeline(
    tar.stdout,
    async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        plain.update(chunk);
        yield chunk;
      }
    },
    createGzip({ level: 1 }),
    async (packed: AsyncIterable<Buffer>) => {
      for await (const chunk of packed) chunks.push(chunk);
    },
  );
  const [[code]] = await Promise.all([once(tar, 'close'), packing]);
  if (code !== 0) throw new Error(`tar ended with code ${String(code)} while packing an image layer`);
  return { bytes: Buffer.concat(chunks), diffId: `sha256:${plain.digest('hex')}` };
}
