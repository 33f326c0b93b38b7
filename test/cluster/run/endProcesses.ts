import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { nodeInit, runsInNode } from '../machine/nodeNamespace.ts';
import { isAlive, type Identity } from './identity.ts';
import { waitUntil } from './waitUntil.ts';

/** Ends every process on record in a run's directory and waits until none runs any more. */
export function endProcesses(dir: string): void {
  const recorded = recordedProcesses(dir);
  const inner = recorded.filter(({ name }) => name === nodeInit);
  const outer = recorded.filter(({ name }) => name !== nodeInit);
  if (inner.some(isAlive)) {
    // Its end ends everything inside the node. The parents outside then reap their children and end by themselves;
    // killed at the same moment, they would leave zombies to whoever adopts orphans on this machine.
    send('SIGKILL', inner);
    const parents = outer.filter(({ name }) => runsInNode.includes(name));
    // nsenter stops itself when its child is stopped, and would then wait for a person.
    send('SIGCONT', parents);
    waitUntil('the processes of the real node to end', () => !parents.some(isAlive));
  }
  send('SIGKILL', outer);
  waitUntil('the processes of the cluster to end', () => !outer.some(isAlive));
}

/** Each leads a process group of its own (see startComponent), except the node's first one. */
function send(signal: NodeJS.Signals, processes: Identity[]): void {
  for (const { pid } of processes.filter(isAlive)) {
    for (const target of [-pid, pid]) {
      try {
        process.kill(target, signal);
      } catch {
        // Already gone.
      }
    }
  }
}

function recordedProcesses(dir: string): (Identity & { name: string })[] {
  const pids = join(dir, 'pids');
  if (!existsSync(pids)) return [];
  return readdirSync(pids).flatMap((file) => {
    try {
      const identity = JSON.parse(readFileSync(join(pids, file), 'utf8')) as Identity;
      return [{ ...identity, name: basename(file, '.json') }];
    } catch {
      return []; // The run was killed while it wrote this down.
    }
  });
}
