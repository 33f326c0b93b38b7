import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runContained } from './runContained.ts';

const run = promisify(execFile);

export const suite = 'bookworm';

/** A Debian of the essential packages and these, from the machine's own package sources. */
export async function makeDebian(root: string, packages: string[] = []): Promise<void> {
  await mkdir(root, { recursive: true });
  const include = packages.length > 0 ? [`--include=${packages.join(',')}`] : [];
  const mirror = await findMirror();
  await runContained('debootstrap', [
    '--variant=minbase',
    ...include,
    suite,
    root,
    ...(mirror === undefined ? [] : [mirror]),
  ]);
}

/** Where this machine gets its own Debian from; undefined when it is not one of this suite. */
async function findMirror(): Promise<string | undefined> {
  const format = ['--format', '$(CODENAME) $(COMPONENT) $(REPO_URI)'];
  const { stdout } = await run('apt-get', ['indextargets', ...format, 'Created-By: Packages']);
  const line = stdout.split('\n').find((target) => target.startsWith(`${suite} main `));
  return line?.split(' ')[2];
}

/** Takes away what no container looks at, and the device nodes, which it has of its own. */
export async function strip(root: string): Promise<void> {
  const useless = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/locale', 'usr/share/doc', 'usr/share/man', 'dev'];
  for (const path of useless) {
    await rm(join(root, path), { recursive: true, force: true });
    await mkdir(join(root, path));
  }
}
