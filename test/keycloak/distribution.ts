/** Keycloak as it is published, fetched and built once and kept beside the other programs that the tests start. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { holdBuildLock } from '../cluster/binaries/buildLock.ts';
import { canInstallPackages, missingPackages, requirePackages } from '../cluster/machine/packages.ts';

const VERSION = '26.4.7';
const SHA256 = 'dd9834c023460be856f731423d86228c23b5d002194a2064642bec0cc6573eaa';
/** Maven would take another one with each of its own versions. */
const FETCHER = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
/** What can be chosen only when it is built. A file, so that a second start finds what the first one left. */
const BUILD = ['--db=dev-file'];

const packages = new URL('debian-packages.txt', import.meta.url);
const run = promisify(execFile);

/** undefined: it can run on this machine, or what it lacks may be installed. */
export function whyNoKeycloak(install: boolean): string | undefined {
  const missing = missingPackages(packages);
  if (missing.length === 0) return undefined;
  if (!canInstallPackages()) return `Keycloak needs ${missing.join(', ')}; run this as root on Debian or Ubuntu`;
  return install ? undefined : `Keycloak needs ${missing.join(', ')}, and --no-install forbids to install them`;
}

/** @returns the folder of a Keycloak that only needs to be started */
export async function keycloakDistribution(report: (line: string) => void, install?: boolean): Promise<string> {
  await requirePackages(packages, 'Keycloak', report, install);
  const key = createHash('sha256')
    .update(JSON.stringify([SHA256, BUILD]))
    .digest('hex')
    .slice(0, 8);
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'workbench-controller');
  const kept = join(cache, `keycloak-${VERSION}-${key}`);
  if (existsSync(kept)) return kept;

  await mkdir(cache, { recursive: true });
  // One draft under one lock: what a killed run left of it is in nobody's way and is gone with the next.
  const draft = `${kept}.draft`;
  const release = await holdBuildLock(`${kept}.lock`, () => report('another run is fetching Keycloak; waiting for it'));
  try {
    if (existsSync(kept)) return kept;
    report(`fetching and building Keycloak ${VERSION} (once; it is kept in ${dirname(kept)})`);
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    const home = await fetched(draft);
    await run('java', javaArguments(home, home, ['build', ...BUILD]), { cwd: draft });
    await rename(home, kept);
    report('built Keycloak');
    return kept;
  } finally {
    await rm(draft, { recursive: true, force: true });
    release();
  }
}

/** With a repository of its own, or the user's would keep a second copy for ever. @returns the unpacked folder */
async function fetched(draft: string): Promise<string> {
  const artifact = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
  const settings = [`-Dmaven.repo.local=${join(draft, 'repository')}`, `-DoutputDirectory=${draft}`];
  await run('mvn', ['--batch-mode', '--quiet', ...settings, `-Dartifact=${artifact}`, `${FETCHER}:copy`], {
    cwd: draft,
  });
  const zip = join(draft, `keycloak-quarkus-dist-${VERSION}.zip`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(zip), hash);
  const found = hash.digest('hex');
  if (found !== SHA256) throw new Error(`Keycloak ${VERSION} is not the one that is pinned: its SHA-256 is ${found}.`);
  await run('unzip', ['-q', zip, '-d', draft]);
  return join(draft, `keycloak-${VERSION}`);
}

/**
 * What bin/kc.sh would run, but as one process that can be ended: the script leaves its Java behind when it is killed.
 * @param home where it keeps its data
 */
export function javaArguments(distribution: string, home: string, args: string[]): string[] {
  const opened = ['util', 'util.concurrent', 'security'].map(
    (name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`,
  );
  return [
    '-Xmx512m',
    // Up quickly and small, rather than fast in the long run.
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...opened,
    '-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory',
    '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
    '-Dpicocli.disable.closures=true',
    `-Dkc.home.dir=${home}`,
    `-Djboss.server.config.dir=${join(home, 'conf')}`,
    '-cp',
    join(distribution, 'lib', 'quarkus-run.jar'),
    'io.quarkus.bootstrap.runner.QuarkusEntryPoint',
    ...args,
  ];
}
