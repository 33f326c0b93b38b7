import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeBridge } from '../machine/bridge.ts';
import { removeCables } from '../machine/cables.ts';
import { removeCgroups } from '../machine/cgroups.ts';
import { removePacketRules } from '../machine/packetRules.ts';
import { removeMountPoints } from '../machine/mountPoints.ts';
import { endProcesses } from './endProcesses.ts';
import { readRecord } from './runDirectory.ts';

/**
 * Ends everything that the run of this directory started and removes what it made: at the end of a run, from the exit
 * handler of an interrupted one, and by the next run after one that was killed. One path for all three, hence
 * synchronous (an exit handler cannot await) and idempotent. Nothing is shut down politely, because nothing is kept:
 * the state goes with the cluster.
 */
export function cleanRun(dir: string): void {
  const record = readRecord(dir);
  if (record === undefined) return;
  endProcesses(dir);
  if (record.nodes === 'real') {
    if (record.packetRules) removePacketRules();
    removeCgroups();
    removeBridge();
    removeCables();
    removeMountPoints(record.madeDirectories);
  }
  if (record.temporary) rmSync(dir, { recursive: true, force: true });
  else removeState(dir);
}

/** A directory that somebody named keeps its logs; the record goes last, so that a broken cleaning is repeated. */
function removeState(dir: string): void {
  for (const entry of readdirSync(dir)) {
    if (entry !== 'logs' && entry !== 'run.json') rmSync(join(dir, entry), { recursive: true, force: true });
  }
  rmSync(join(dir, 'run.json'), { force: true });
}
