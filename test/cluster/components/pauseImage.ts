import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { mustRun } from '../machine/command.ts';
import type { RunDirectory } from '../run/runDirectory.ts';

/** A name that no registry answers for: the image is imported, never pulled. */
export const pauseImage = 'workbench.local/pause:1';

/** A one-layer image of the pause program as a docker archive, the form that "ctr images import" takes. */
export function writePauseImage(run: RunDirectory, binary: string): string {
  const dir = run.path('tmp', 'pause');
  mkdirSync(dir, { recursive: true });
  copyFileSync(binary, join(dir, 'pause'));
  mustRun('tar', ['--create', '--file', join(dir, 'layer.tar'), '--owner=0', '--group=0', '--directory', dir, 'pause']);
  const digest = createHash('sha256')
    .update(readFileSync(join(dir, 'layer.tar')))
    .digest('hex');
  const config = {
    architecture: arch() === 'x64' ? 'amd64' : arch(),
    os: 'linux',
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  run.write('tmp/pause/config.json', JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [pauseImage], Layers: ['layer.tar'] }];
  run.write('tmp/pause/manifest.json', JSON.stringify(manifest));
  const archive = run.path('tmp', 'pause.tar');
  mustRun('tar', ['--create', '--file', archive, '--directory', dir, 'manifest.json', 'config.json', 'layer.tar']);
  return archive;
}

export function importImage(socket: string, archive: string): void {
  mustRun('ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', archive]);
}
