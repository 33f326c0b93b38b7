import { spawn } from 'node:child_process';

/**
 * Runs a program that mounts and starts things of its own (buildah, debootstrap) in a mount and a process namespace: when
 * it ends, or this process does, even by `kill -9`, the kernel ends all it started and takes its mounts along.
 */
export function runContained(name: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const command = ['--pdeathsig', 'KILL', '--', 'unshare', ...namespaces, '--', name, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', command, {
      // Out of reach of the terminal's Ctrl-C, which this process answers.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C', ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-8000)));
    }
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`"${name} ${args.find((arg) => !arg.startsWith('-')) ?? ''}" failed:\n${output.trim()}`));
    });
  });
}
