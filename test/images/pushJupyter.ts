import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { elapsedReport } from '../cluster/run/elapsedReport.ts';
import { makeDebian, strip, suite } from './debian.ts';
import { buildLayer, packDirectory } from './layer.ts';
import type { Entry, Layer, PackedLayer } from './layer.ts';
import { makeOnce } from './makeOnce.ts';
import { pushImage } from './push.ts';
import type { PushedImage } from './push.ts';
import { runContained } from './runContained.ts';

const folder = join(import.meta.dirname, 'jupyter');

const packages = ['python3', 'python3-venv', 'tini'];

/** Pushes a workbench image with a real JupyterLab, of Debian's and PyPI's packages; no Dockerfile, no engine. */
export async function pushJupyterImage(options: {
  /** host:port */
  registry: string;
  report?: (line: string) => void;
  /** May Debian packages be installed? By default unless `--no-install` of `npm test` says no. */
  install?: boolean;
}): Promise<PushedImage> {
  const { registry, report = elapsedReport(), install } = options;
  const layers = await Promise.all([buildJupyterLayer(report, install), buildLayer(settings)]);
  const config = {
    user: '1000',
    // It reaps what a notebook leaves behind, and passes the signals on.
    entrypoint: ['/usr/bin/tini', '--', 'jupyter', 'lab'],
    workingDir: '/home/project',
    env: {
      PATH: '/opt/jupyter/bin:/usr/local/bin:/usr/bin:/bin',
      HOME: '/home/project',
      SHELL: '/bin/bash',
      LANG: 'C.UTF-8',
    },
    ports: [8888],
  };
  return pushImage({ registry, repository: 'jupyter', tag: 'latest', layers, config });
}

/** A layer of its own, so that a change here does not make everything anew. */
const settings: Entry[] = [
  {
    path: 'etc/jupyter/jupyter_server_config.py',
    mode: 0o644,
    copyOf: join(folder, 'jupyter_server_config.py'),
  },
  {
    path: 'opt/jupyter/share/jupyter/lab/settings/overrides.json',
    mode: 0o644,
    copyOf: join(folder, 'overrides.json'),
  },
];

async function buildJupyterLayer(report: (line: string) => void, install: boolean | undefined): Promise<Layer> {
  const what = `the JupyterLab image: Debian ${suite}, Python and packages of PyPI`;
  return makeOnce({ kind: 'jupyter', key: await hashInputs(), what, make, report, install });
}

async function hashInputs(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([packages, process.arch]));
  const inputs = ['jupyter/install.sh', 'jupyter/requirements.txt', 'debian.ts', 'layer.ts'];
  for (const name of inputs) hash.update(await readFile(join(import.meta.dirname, name)));
  return hash.digest('hex').slice(0, 16);
}

async function make(draft: string): Promise<PackedLayer> {
  const root = join(draft, 'root');
  await makeDebian(root, packages);
  await runContained('sh', [join(folder, 'install.sh'), root]);
  await strip(root);
  return packDirectory(root);
}
