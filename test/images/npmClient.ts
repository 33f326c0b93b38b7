import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where npm in the build image looks for its settings, and where those look for certificates. */
export const clientSettings = '/usr/local/etc/npmrc';
export const certificates = '/usr/local/etc/certificates.pem';

/** Paths of this machine, which mean nothing inside. */
const paths =
  /^\s*(cafile|cache|prefix|nodedir|tmp|logs-dir|userconfig|globalconfig|init-module|script-shell|shell)\s*=/;

/**
 * The flags of a build that lend it this machine's npm settings (its registry, the registry's certificates, and the
 * tokens, if there are any). They are mounted for the time of each RUN, so no layer holds them.
 */
export async function lendNpmSettings(folder: string): Promise<string[]> {
  const texts = await Promise.all((await Promise.all(['globalconfig', 'userconfig'].map(setting))).map(readIfThere));
  const lines = forInside(texts.join('\n'), process.env);
  lines.push(`registry=${await setting('registry')}`);

  const bundle = (await setting('cafile')) || process.env['NODE_EXTRA_CA_CERTS'];
  const volumes: string[] = [];
  if (bundle !== undefined && bundle !== '') {
    lines.push(`cafile=${certificates}`);
    volumes.push('--volume', `${bundle}:${certificates}:ro`);
  }
  const file = join(folder, 'npmrc');
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return [...volumes, '--volume', `${file}:${clientSettings}:ro`];
}

/** The lines without the paths, and with the values of the variables that npm would look up, which are not set inside. */
export function forInside(text: string, env: NodeJS.ProcessEnv): string[] {
  return text
    .split('\n')
    .filter((line) => !paths.test(line))
    .map((line) => line.replace(/\$\{(\w+)\}/g, (whole, name: string) => env[name] ?? whole));
}

/** As npm itself has it, from whichever file, variable or default. */
async function setting(name: string): Promise<string> {
  const { stdout } = await run('npm', ['config', 'get', name]);
  const value = stdout.trim();
  return value === 'null' || value === 'undefined' ? '' : value;
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
