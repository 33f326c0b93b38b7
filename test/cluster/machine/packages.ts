import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { onExit } from '../run/interrupt.ts';
import { command } from './command.ts';

/** A folder that is there wherever apt is; apt itself locks a file in it. */
const APT_LOCK = '/var/lib/apt/lists';

const realNodeList = new URL('../debian-packages.txt', import.meta.url);

export function parsePackageList(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((name) => name !== '');
}

/** Of a list's packages; by default those of a real node. */
export function missingPackages(list = realNodeList): string[] {
  const wanted = parsePackageList(readFileSync(list, 'utf8'));
  const { output } = command('dpkg-query', ['--show', '--showformat=${Package} ${db:Status-Status}\n', ...wanted]);
  const installed = new Set(output.split('\n').filter((line) => line.endsWith(' installed')));
  return wanted.filter((name) => !installed.has(`${name} installed`));
}

export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/**
 * Installs what a list names and the machine lacks. `purpose` begins the sentence of the error, as "Building an image".
 * @throws Error where that is impossible, or forbidden (`--no-install`)
 */
export async function requirePackages(
  list: URL,
  purpose: string,
  report: (line: string) => void,
  install = process.env.WB_TEST_NO_INSTALL === undefined,
): Promise<void> {
  const missing = missingPackages(list);
  if (missing.length > 0 && !canInstallPackages()) {
    throw new Error(`${purpose} needs ${missing.join(', ')}: run this as root on Debian or Ubuntu.`);
  }
  if (missing.length > 0 && !install) {
    throw new Error(`${purpose} needs ${missing.join(', ')}, and --no-install forbids to install them.`);
  }
  await installPackages(missing, report);
}

/** Installs what is missing and says so. */
export async function installPackages(missing: string[], report: (line: string) => void): Promise<void> {
  if (missing.length === 0) return;
  report(`installing the missing Debian packages ${missing.join(', ')}`);
  if (missing.includes('docker-registry')) keepRegistryServiceOff(report);
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  // The package lists may be fresh enough: an update costs more than a failed try.
  if (await aptGet(install)) return;
  await aptGet(['update']);
  if (await aptGet(install)) return;
  throw new Error(
    `apt-get could not install ${missing.join(', ')}: run "apt-get install ${missing.join(' ')}" to see why.`,
  );
}

/**
 * Where there is systemd, Debian's package starts its service at once and at every boot, on all addresses, and on the
 * port that `npm run local` has for its own registry. Services of packages that somebody else installed are left alone.
 */
function keepRegistryServiceOff(report: (line: string) => void): void {
  if (!existsSync('/run/systemd/system')) return;
  const { ok, output } = command('systemctl', ['--root=/', 'mask', 'docker-registry.service']);
  report(
    ok
      ? 'the service docker-registry.service is masked, so that it does not take port 5000'
      : `docker-registry.service could not be masked and may take port 5000: ${output.trim()}`,
  );
}

function aptGet(args: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    // The lanes of a run of all tests take turns: apt-get would fail at once where another one is at work.
    const child = spawn('flock', ['--no-fork', APT_LOCK, 'apt-get', '--quiet', ...args], {
      stdio: 'ignore',
      detached: true,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    // dpkg ends the package in hand on SIGTERM and leaves a state that the next run can go on from.
    const forget = onExit(() => child.kill('SIGTERM'));
    const done = (ok: boolean): void => {
      forget();
      resolve(ok);
    };
    child.on('error', () => done(false));
    child.on('exit', (code) => done(code === 0));
  });
}
