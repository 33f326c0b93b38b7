import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that decides what a build gives: the pins, our own few sources, the compiler, the flags. */
export function cacheKey(moduleDir: string, goVersion: string, flags: string[]): string {
  const hash = createHash('sha256');
  const sources = readdirSync(moduleDir).filter((name) => /^go\.(mod|sum)$|\.go$/.test(name));
  for (const name of sources.toSorted())
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(moduleDir, name)))
      .update('\0');
  return hash
    .update(JSON.stringify([goVersion, flags]))
    .digest('hex')
    .slice(0, 20);
}
