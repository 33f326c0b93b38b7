import { constants } from 'node:os';

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';
type Cleanup = () => void | Promise<void>;

const beforeExit = new Set<Cleanup>();
const atExit = new Set<() => void>();
let installed = false;
let interruptedBy: Signal | undefined;

/** Runs when the process is told to stop (Ctrl-C, SIGTERM, SIGHUP), newest first, before the clusters go. */
export function onInterrupt(cleanup: Cleanup): () => void {
  install();
  beforeExit.add(cleanup);
  return () => void beforeExit.delete(cleanup);
}

/** Runs whenever the process ends, however it ends, short of `kill -9`; hence synchronous. */
export function onExit(cleanup: () => void): () => void {
  install();
  atExit.add(cleanup);
  return () => void atExit.delete(cleanup);
}

export function isInterrupted(): boolean {
  return interruptedBy !== undefined;
}

function install(): void {
  if (installed) return;
  installed = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void interrupt(signal));
  process.on('exit', () => {
    // Also when a call that failed because its cluster is going ends the process first, with a code of its own.
    if (interruptedBy !== undefined) process.exitCode = 128 + constants.signals[interruptedBy];
    for (const cleanup of [...atExit].toReversed()) {
      try {
        cleanup();
      } catch (error) {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  });
}

async function interrupt(signal: Signal): Promise<void> {
  // A second Ctrl-C must not cut the cleaning short: it would leave what the first one was about to remove.
  if (interruptedBy !== undefined) {
    process.stderr.write('still cleaning up, one moment\n');
    return;
  }
  interruptedBy = signal;
  process.stderr.write(`${signal}: cleaning up\n`);
  for (const cleanup of [...beforeExit].toReversed()) {
    try {
      await cleanup();
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
    }
  }
  process.exit();
}
