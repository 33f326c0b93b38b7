import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { identify, type Identity } from './identity.ts';

/** What a run writes down about itself, so that a later one can clean up after it. */
export interface RunRecord {
  nodes: 'real' | 'simulated';
  owner: Identity;
  startedAt: string;
  /** The directory was made for this run only and goes with it. */
  temporary: boolean;
  /** Empty directories of the machine that the real node needed as mount points and that were not there before. */
  madeDirectories: string[];
  /** The packet filter's chains that packetRules.ts names, if there are any, are of this run. */
  packetRules: boolean;
}

export interface RunDirectory {
  dir: string;
  record: RunRecord;
  /** One for each process started: waits until it has ended and was reaped. */
  ends: (() => Promise<void>)[];
  path(...parts: string[]): string;
  write(name: string, content: string): string;
}

export const temporaryPrefix = 'workbench-cluster-';

/** Unix sockets have paths of at most 107 bytes, and the longest name below the directory takes 37. */
const longestDirectory = 70;

export function openRunDirectory(nodes: 'real' | 'simulated', wanted?: string): RunDirectory {
  const dir = wanted === undefined ? mkdtempSync(join(tmpdir(), temporaryPrefix)) : resolve(wanted);
  if (dir.length > longestDirectory) {
    throw new Error(
      `The directory ${dir} is too long for unix sockets: choose one of at most ${longestDirectory} characters.`,
    );
  }
  mkdirSync(dir, { recursive: true });
  refuseForeign(dir);
  rmSync(join(dir, 'logs'), { recursive: true, force: true });
  // It holds private keys of cluster administrators.
  chmodSync(dir, 0o700);
  for (const part of ['logs', 'pids', 'tmp']) mkdirSync(join(dir, part), { recursive: true });
  const owner = identify(process.pid);
  if (owner === undefined) throw new Error('A cluster needs Linux: there is no /proc here to recognise processes by.');
  const run: RunDirectory = {
    dir,
    record: {
      nodes,
      owner,
      startedAt: new Date().toISOString(),
      temporary: wanted === undefined,
      madeDirectories: [],
      packetRules: false,
    },
    ends: [],
    path: (...parts) => join(dir, ...parts),
    write: (name, content) => {
      writeFileSync(join(dir, name), content, { mode: 0o600 });
      return join(dir, name);
    },
  };
  saveRecord(run);
  return run;
}

/** A run empties its directory at the end, so it takes none with files of somebody else in it. */
function refuseForeign(dir: string): void {
  if (readdirSync(dir).some((entry) => entry !== 'logs')) {
    throw new Error(`The directory ${dir} is not empty, and a cluster empties its directory: name another one.`);
  }
}

/** Written beside and renamed: a run killed in the middle leaves the older record whole. */
export function saveRecord(run: RunDirectory): void {
  renameSync(run.write('run.json.new', JSON.stringify(run.record)), run.path('run.json'));
}

export function readRecord(dir: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as RunRecord;
  } catch {
    return undefined;
  }
}

export function recordProcess(run: RunDirectory, name: string, pid: number): void {
  const identity = identify(pid);
  if (identity !== undefined) run.write(join('pids', `${name}.json`), JSON.stringify(identity));
}
