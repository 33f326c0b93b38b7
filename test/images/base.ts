import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { keepLayer, readCachedLayer } from './cachedLayer.ts';
import { packLayer } from './layer.ts';
import type { Entry, Layer } from './layer.ts';

const run = promisify(execFile);

/** The layer every workbench image stands on: Node, the C library it was linked against, and users 1000 and 65532. */
export async function buildBaseLayer(): Promise<Layer> {
  const entries = await listEntries();
  const name = `base-${await hashInputs(entries)}`;
  return (await readCachedLayer(name)) ?? (await keepLayer(name, await packLayer(entries)));
}

async function listEntries(): Promise<Entry[]> {
  const node = findNode();
  const libraries = await listLibraries(node);
  return [
    { path: 'usr/local/bin/node', mode: 0o755, copyOf: node },
    ...libraries.map((library) => ({ path: library, mode: 0o755, copyOf: library })),
    {
      path: 'etc/passwd',
      mode: 0o644,
      text: [
        'root:x:0:0:root:/root:/sbin/nologin',
        'project:x:1000:1000:project:/home/project:/sbin/nologin',
        // The name and number that images without a shell have made usual for a service.
        'nonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n',
      ].join('\n'),
    },
    { path: 'etc/group', mode: 0o644, text: 'root:x:0:\nproject:x:1000:\nnonroot:x:65532:\n' },
    { path: 'etc/nsswitch.conf', mode: 0o644, text: 'passwd: files\ngroup: files\nhosts: files dns\n' },
    { path: 'tmp', mode: 0o1777 },
    // Everything in the layer belongs to root, so that user 1000 can write here only if everybody can.
    { path: 'home/project', mode: 0o777 },
  ];
}

/** The Node that npm installed for this machine's architecture, whatever runs this. */
export function findNode(): string {
  const name = `node-linux-${process.arch}/bin/node`;
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new Error(`The workbench image needs ${name} of the optional dependencies; run npm ci`, { cause });
  }
}

/** The paths `ldd` names, loader included; the one without a path (linux-vdso) comes from the kernel. */
async function listLibraries(binary: string): Promise<string[]> {
  const { stdout } = await run('ldd', [binary], { env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  if (stdout.includes('not found')) throw new Error(`A library of ${binary} is missing:\n${stdout}`);
  return [...stdout.matchAll(/(?:^|=>)\s*(\/\S+) \(0x/gm)].map((match) => String(match[1])).toSorted();
}

/** Sizes and times stand for the files' contents, as hashing 120 MB at each push would take longer than the push. */
async function hashInputs(entries: Entry[]): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of entries) {
    const file = entry.copyOf === undefined ? undefined : await stat(entry.copyOf);
    hash.update(JSON.stringify([entry.path, entry.mode, entry.text, file?.size, file?.mtimeMs]));
  }
  hash.update(await readFile(join(import.meta.dirname, 'layer.ts')));
  return hash.digest('hex').slice(0, 16);
}
