import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { elapsedReport } from '../cluster/run/elapsedReport.ts';
import { findNode } from './base.ts';
import { makeDebian, strip, suite } from './debian.ts';
import { packDirectory } from './layer.ts';
import type { Layer, PackedLayer } from './layer.ts';
import { makeOnce } from './makeOnce.ts';
import { certificates, clientSettings } from './npmClient.ts';

const run = promisify(execFile);

/** Of the 11 that comes with Node 24. */
const npm = {
  version: '11.21.2',
  integrity: 'sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==',
};

/** A Debian of nothing but the essential packages, with Node and npm; made once, from the machine's own package sources. */
export async function buildBuildLayer(report = elapsedReport()): Promise<Layer> {
  const what = `the build image: Debian ${suite}, Node and npm`;
  return makeOnce({ kind: 'build-base', key: await hashInputs(), what, make, report });
}

async function hashInputs(): Promise<string> {
  const node = await stat(findNode());
  const hash = createHash('sha256').update(JSON.stringify([node.size, node.mtimeMs]));
  const code = ['buildBase.ts', 'debian.ts', 'layer.ts'];
  for (const name of code) hash.update(await readFile(join(import.meta.dirname, name)));
  return hash.digest('hex').slice(0, 16);
}

async function make(draft: string): Promise<PackedLayer> {
  const root = join(draft, 'root');
  await makeDebian(root);
  await strip(root);
  await copyFile(findNode(), join(root, 'usr/local/bin/node'));
  await installNpm(root, draft);
  return packDirectory(root);
}

async function installNpm(root: string, draft: string): Promise<void> {
  const { stdout } = await run('npm', ['pack', `npm@${npm.version}`, '--json'], { cwd: draft });
  const [packed] = JSON.parse(stdout) as { filename: string; integrity: string }[];
  if (packed?.integrity !== npm.integrity) {
    throw new Error(
      `npm ${npm.version} from the registry is not the one that buildBase.ts names: ${packed?.integrity}`,
    );
  }
  const home = join(root, 'usr/local/lib/node_modules/npm');
  await mkdir(home, { recursive: true });
  const archive = join(draft, packed.filename);
  await run('tar', ['--extract', '--file', archive, '--strip-components=1', '--no-same-owner', '--directory', home]);
  for (const name of ['npm', 'npx']) {
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
  }
  // Empty: a build covers them with the machine's own, and its layers keep no trace of that.
  await mkdir(join(root, 'usr/local/etc'), { recursive: true });
  for (const path of [clientSettings, certificates]) await writeFile(join(root, path), '');
}
