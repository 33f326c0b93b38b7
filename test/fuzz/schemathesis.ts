/** Schemathesis, which asks an API all that its description allows and much that it does not. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { command } from '../cluster/machine/command.ts';
import { requirePackages } from '../cluster/machine/packages.ts';
import { keptFolder } from '../keptFolder.ts';

const requirements = join(import.meta.dirname, 'requirements.txt');
const packages = new URL('debian-packages.txt', import.meta.url);
const CAN_MAKE_ENVIRONMENTS = 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))';

/** The Python of an environment that has it. It is run as a module: the environment's scripts name the folder that it was made in. */
export async function pythonWithSchemathesis(report: (line: string) => void): Promise<string> {
  const python = await findPython(report);
  const folder = await keptFolder({
    kind: 'schemathesis',
    madeOf: [command(python, ['--version']).output, readFileSync(requirements)],
    async make(draft) {
      await succeed(python, ['-m', 'venv', draft]);
      const exactly = ['--require-hashes', '--no-deps', '--only-binary', ':all:', '--requirement', requirements];
      await succeed(join(draft, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...exactly]);
    },
    report,
  });
  return join(folder, 'bin', 'python');
}

/** The one on PATH if it will do, or else Debian's. */
async function findPython(report: (line: string) => void): Promise<string> {
  if (command('python3', ['-c', CAN_MAKE_ENVIRONMENTS]).ok) return 'python3';
  await requirePackages(packages, 'Fuzzing the API', report);
  if (command('/usr/bin/python3', ['-c', CAN_MAKE_ENVIRONMENTS]).ok) return '/usr/bin/python3';
  throw new Error('Fuzzing the API needs Python 3.11 or newer, as Debian 12 and Ubuntu 24.04 have it.');
}

async function succeed(program: string, args: string[]): Promise<void> {
  await promisify(execFile)(program, args).catch(({ stderr, message }: { stderr?: string; message: string }) => {
    const last = (stderr || message).trim().split('\n').slice(-5).join('\n');
    throw new Error(`Schemathesis could not be installed:\n${last}`);
  });
}
