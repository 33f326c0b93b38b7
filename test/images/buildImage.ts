import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { holdBuildLock } from '../cluster/binaries/buildLock.ts';
import { elapsedReport } from '../cluster/run/elapsedReport.ts';
import { imageCache } from './cachedLayer.ts';
import { installBuildTools } from './installBuildTools.ts';
import { lendNpmSettings } from './npmClient.ts';
import type { PushedImage } from './push.ts';
import { runContained } from './runContained.ts';

const run = promisify(execFile);

const BUILD_SCRIPT = join(import.meta.dirname, '../../build.sh');

/**
 * Builds the controller's image and pushes it as its users do, by `PUSH=yes ./build.sh`, to a registry that speaks plain
 * HTTP; root, and no engine needed.
 */
export async function buildImage(options: {
  /** The bases, above all: nothing can be pulled from the internet by the names that Dockerfiles have as a default. */
  buildArgs: { BUILD_IMAGE: string; BASE_IMAGE: string };
  name: string;
  tag: string;
  /** host:port */
  registry: string;
  report?: (line: string) => void;
}): Promise<PushedImage> {
  const { buildArgs, registry, name, tag, report = elapsedReport() } = options;
  await installBuildTools(report);
  // One place under one lock, empty before and after: what a killed build leaves there is gone with the next.
  const place = join(imageCache(), 'build-image.draft');
  await mkdir(imageCache(), { recursive: true });
  const release = await holdBuildLock(`${place}.lock`, () =>
    report('another run is building an image; waiting for it'),
  );
  try {
    const digest = join(place, 'digest');
    const storage = await prepare(place);
    const isolation = ['--isolation', 'chroot', '--layers=false', '--tls-verify=false'];
    await runContained(BUILD_SCRIPT, [], {
      ...storage,
      ...buildArgs,
      IMAGE_NAME: `${registry}/${name}`,
      IMAGE_TAG: tag,
      BUILD_FLAGS: [...isolation, ...(await lendNpmSettings(place))].join(' '),
      PUSH: 'yes',
      PUSH_FLAGS: `--tls-verify=false --digestfile ${digest}`,
    });
    return { image: `${registry}/${name}:${tag}`, digest: (await readFile(digest, 'utf8')).trim() };
  } finally {
    await rm(place, { recursive: true, force: true });
    release();
  }
}

/** A storage of its own for the builder, so that a machine's other images and builds are neither seen nor touched. */
async function prepare(place: string): Promise<Record<string, string>> {
  await rm(place, { recursive: true, force: true });
  const temporary = join(place, 'tmp');
  await mkdir(temporary, { recursive: true });
  const { stdout } = await run('stat', ['--file-system', '--format=%T', place]);
  // One overlay cannot lie upon another; copying everything is slower and always works.
  const driver = stdout.trim() === 'overlayfs' ? 'vfs' : 'overlay';
  const settings = join(place, 'storage.conf');
  const lines = [`driver = "${driver}"`, `graphroot = "${join(place, 'root')}"`, `runroot = "${join(place, 'run')}"`];
  await writeFile(settings, `[storage]\n${lines.join('\n')}\n`);
  return { CONTAINERS_STORAGE_CONF: settings, TMPDIR: temporary, STORAGE_OPTS: '' };
}
