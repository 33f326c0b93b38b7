import { execFile } from 'node:child_process';

/** Runs kubectl against one kubeconfig and never against the ambient one. */
export function runKubectl(binary: string, kubeconfig: string, args: string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const full = ['--kubeconfig', kubeconfig, ...args];
    const child = execFile(binary, full, { maxBuffer: 256 << 20 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || error.message}`));
    });
    // Without an input, end it: "-f -" would else wait forever.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
