import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from './cluster/binaries/build.ts';
import { holdBuildLock } from './cluster/binaries/buildLock.ts';

/** What others have made and is installed for a test: once, in a folder that is kept until what it is made of changes. */
export async function keptFolder(options: {
  /** One word for it. */
  kind: string;
  /** All that it is made of. */
  madeOf: (string | Buffer)[];
  /** In a folder that is renamed afterwards. */
  make: (draft: string) => Promise<void>;
  report: (line: string) => void;
}): Promise<string> {
  const { kind, madeOf, make, report } = options;
  const hash = createHash('sha256');
  for (const part of madeOf) hash.update(part).update('\0');
  const kept = join(cacheDirectory(), `${kind}-${hash.digest('hex').slice(0, 20)}`);
  if (existsSync(kept)) return kept;

  await mkdir(cacheDirectory(), { recursive: true });
  // One draft under one lock: what a killed run left of it is gone with the next.
  const draft = join(cacheDirectory(), `${kind}.draft`);
  const release = await holdBuildLock(`${draft}.lock`, () => report(`another run installs ${kind}; waiting for it`));
  try {
    if (existsSync(kept)) return kept;
    report(`installing ${kind} (once; it is kept in ${cacheDirectory()})`);
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    await make(draft);
    await rename(draft, kept);
    return kept;
  } finally {
    await rm(draft, { recursive: true, force: true });
    release();
  }
}
