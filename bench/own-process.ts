/** Programs of this folder in processes of their own. They end with this one. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { onExit } from '../test/cluster/run/interrupt.ts';

const environment = (more: Record<string, string> = {}) => ({ PATH: process.env.PATH ?? '', ...more });

/** Resolves at its end with the JSON that it printed. */
export async function runOwnProcess<T>(file: string, args: string[], env?: Record<string, string>): Promise<T> {
  const running = promisify(execFile)(process.execPath, [join(import.meta.dirname, file), ...args], {
    env: environment(env),
  });
  const forget = onExit(() => void running.child.kill());
  const { stdout } = await running.finally(forget);
  return JSON.parse(stdout) as T;
}

/** Resolves with the first line that it prints, and leaves it running. */
export async function startOwnProcess(file: string, args: string[]): Promise<{ firstLine: string; end: () => void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const forget = onExit(() => void child.kill());
  const [firstLine] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    firstLine,
    end() {
      forget();
      child.kill();
    },
  };
}
