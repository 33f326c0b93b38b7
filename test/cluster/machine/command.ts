import { spawnSync } from 'node:child_process';

export interface CommandResult {
  ok: boolean;
  output: string;
}

/**
 * Runs a short command of the system and waits. In a session of its own: a second Ctrl-C in the terminal would
 * otherwise kill the very command that cleans up.
 */
export function command(name: string, args: string[], options: { input?: string; fd?: number } = {}): CommandResult {
  const stdio: ('pipe' | 'ignore' | number)[] = [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'];
  if (options.fd !== undefined) stdio.push(options.fd);
  const settings = { stdio, encoding: 'utf8' as const, detached: true, maxBuffer: 64 << 20 };
  const result = spawnSync(name, args, options.input === undefined ? settings : { ...settings, input: options.input });
  if (result.error !== undefined) return { ok: false, output: result.error.message };
  return { ok: result.status === 0, output: `${result.stdout}${result.status === 0 ? '' : result.stderr}` };
}

/** The same for a command that must not fail. */
export function mustRun(name: string, args: string[], input?: string): string {
  const result = command(name, args, input === undefined ? {} : { input });
  if (!result.ok) throw new Error(`"${name} ${args.join(' ')}" failed: ${result.output.trim()}`);
  return result.output;
}
