import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { whyNoRealNode } from './cluster.ts';
import { nodeLockPath } from './machine/nodeLock.ts';
import { difference, machineState } from './prove/machineState.ts';
import { waitUntil } from './run/waitUntil.ts';

/**
 * Shows that a real cluster leaves nothing behind, however it ends: `node test/cluster/prove.ts`, as root, on a machine
 * where nobody else starts containers meanwhile. Takes about two minutes with the binaries at hand.
 */
const why = whyNoRealNode();
if (why !== undefined) {
  console.error(why);
  process.exit(1);
}
const parent = mkdtempSync(join(tmpdir(), 'workbench-proof-'));
const dir = join(parent, 'cluster');
const before = machineState(dir);
let failed = false;

interface Life {
  lines: string[];
  code: number | null;
}

/**
 * Runs a cluster in a process of its own; `disturb` is called with its pid once the page is open, or so many milliseconds
 * after it began: not after its process began, for how long Node needs to come up says nothing about the cluster.
 */
async function live(
  then: 'stop' | 'hold',
  when: 'page' | number,
  disturb?: (pid: number) => void,
  options: string[] = [],
): Promise<Life> {
  const script = fileURLToPath(new URL('prove/pod.ts', import.meta.url));
  const command = ['--pdeathsig', 'INT', process.execPath, script, dir, then, ...options];
  const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const act = (): void => {
    if (child.exitCode === null) disturb?.(child.pid ?? 0);
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line !== 'begun') lines.push(line);
    else if (when !== 'page') void delay(when).then(act);
    if (when === 'page' && line === 'the page is open') act();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { lines, code };
}

function check(what: string, { lines, code }: Life, wantedCode: number | null): void {
  const wrong = difference(before, machineState(dir));
  if (code !== wantedCode) wrong.push(`it ended with code ${code}, not ${wantedCode}`);
  console.log(`${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${[what, ...lines].join(', ')}`);
  for (const line of wrong) console.log(`       ${line}`);
  failed ||= wrong.length > 0;
}

const twice = (pid: number): void => {
  process.kill(pid, 'SIGINT');
  setTimeout(() => {
    try {
      process.kill(pid, 'SIGINT');
    } catch {
      // It has ended already.
    }
  }, 30);
};

function killWithJanitor(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  const isJanitor = (child: number): boolean => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('janitor.ts');
    } catch {
      return false; // It has ended since, as the janitor does not.
    }
  };
  for (const victim of [...children.filter(isJanitor), pid]) process.kill(victim, 'SIGKILL');
}

try {
  for (let run = 1; run <= 3; run++) check(`started and stopped, ${run} of 3`, await live('stop', 'page'), 0);
  for (const after of [0, 500, 1000, 2000, 3000, 4000]) {
    check(`Ctrl-C twice ${after} ms after the start`, await live('hold', after, twice), 130);
  }
  check('Ctrl-C twice with a Pod running', await live('hold', 'page', twice), 130);
  for (const after of [1000, 2500, 'page'] as const) {
    const when = after === 'page' ? 'with a Pod running' : `${after} ms after the start`;
    const killed = await live('hold', after, (pid) => process.kill(pid, 'SIGKILL'));
    waitUntil('the janitor to give the lock back', () => !existsSync(nodeLockPath));
    check(`kill -9 ${when}`, killed, null);
    await live('hold', after, killWithJanitor);
    check(`the start after a kill -9 of it and its janitor ${when}`, await live('stop', 'page'), 0);
  }
  const policies = ['--network-policies'];
  const interrupted = await live('hold', 3000, twice, policies);
  check('Ctrl-C twice 3000 ms after the start with NetworkPolicies enforced', interrupted, 130);
  await live('hold', 'page', killWithJanitor, policies);
  check('the start after a kill -9 of it and its janitor, then without an enforcer', await live('stop', 'page'), 0);
  check('started and stopped with NetworkPolicies enforced', await live('stop', 'page', undefined, policies), 0);
} finally {
  rmSync(parent, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
