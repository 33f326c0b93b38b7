import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { command } from '../machine/command.ts';
import { onExit } from '../run/interrupt.ts';
import { cacheKey } from './cacheKey.ts';
import type { BinarySpec } from './catalogue.ts';
import { holdBuildLock } from './buildLock.ts';

type Report = (line: string) => void;

/** The binary in the cache; undefined when it is not there. */
export function cached(spec: BinarySpec): string | undefined {
  const path = pathInCache(spec);
  return existsSync(path) ? path : undefined;
}

/** The cached binary; built first when it is not there. A build that was broken off goes on from Go's compile cache. */
export async function cachedOrBuilt(spec: BinarySpec, report: Report): Promise<string> {
  const path = pathInCache(spec);
  if (existsSync(path)) return path;

  mkdirSync(dirname(path), { recursive: true });
  const release = await holdBuildLock(`${path}.lock`, () =>
    report(`another run is building ${spec.name}; waiting for it`),
  );
  try {
    if (!existsSync(path)) await build(spec, path, report);
    return path;
  } finally {
    release();
  }
}

function flagsOf(spec: BinarySpec): string[] {
  return ['-trimpath', '-buildvcs=false', '-ldflags', spec.ldflags, ...(spec.tags ? ['-tags', spec.tags] : [])];
}

function pathInCache(spec: BinarySpec): string {
  const key = cacheKey(spec.moduleDir, goVersion(spec), [spec.package, ...flagsOf(spec)]);
  return join(cacheDirectory(), key, spec.name);
}

async function build(spec: BinarySpec, path: string, report: Report): Promise<void> {
  const started = Date.now();
  const seconds = (): string => `${Math.round((Date.now() - started) / 1000)} s`;
  report(`building ${spec.name} (once; it is kept in ${cacheDirectory()})`);
  const heartbeat = setInterval(() => report(`still building ${spec.name}, for ${seconds()}`), 30_000);
  // The name is there only when the whole file is.
  const unfinished = `${path}.${process.pid}`;
  // Go leaves its work directory behind when it is broken off.
  const work = `${unfinished}.work`;
  mkdirSync(work);
  const tidy = (): void => {
    rmSync(unfinished, { force: true });
    rmSync(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  };
  const forget = onExit(tidy);
  try {
    await go(spec, ['build', ...flagsOf(spec), '-o', unfinished, spec.package], work);
    renameSync(unfinished, path);
  } finally {
    clearInterval(heartbeat);
    forget();
    tidy();
  }
  report(`built ${spec.name} in ${seconds()}`);
}

function go(spec: BinarySpec, args: string[], work: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd: spec.moduleDir,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      // The user's own flags or workspace must not change what is built, else the key would lie.
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off', GOTMPDIR: work },
    });
    const forget = onExit(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)));
    child.on('error', reject);
    child.on('exit', forget);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(`"go ${args[0]}" of ${spec.name} failed; run the command again to go on, or see why:\n${errors}`),
        );
    });
  });
}

const versions = new Map<string, string>();

function goVersion(spec: BinarySpec): string {
  const known = versions.get(spec.moduleDir);
  if (known !== undefined) return known;
  const answer = command('go', ['-C', spec.moduleDir, 'env', 'GOVERSION']);
  if (!answer.ok) {
    throw new Error(
      `Go (1.25 or newer) is needed to build ${spec.name}, and "go env" failed: ${answer.output.trim().split('\n')[0]}. Install Go, or set KUBEBUILDER_ASSETS to a directory with the binaries.`,
    );
  }
  versions.set(spec.moduleDir, answer.output.trim());
  return answer.output.trim();
}

export function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'workbench-controller');
}
