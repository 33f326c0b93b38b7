/** The API server's audit log from a moment on: what came before need not be read again. */
import { randomUUID } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { Transport } from '../src/kube/transport.ts';
import { readAudit } from '../test/cluster/access/audit.ts';
import type { AuditEntry } from '../test/cluster/access/audit.ts';
import { eventually } from '../test/eventually.ts';

export interface AuditTail {
  /** Now: everything that has been answered so far is before it. */
  mark: () => Promise<number>;
  /** What a user has done since then. */
  since: (mark: number, user: string) => Promise<AuditEntry[]>;
}

export function tailAudit(clusterDir: string, transport: Transport): AuditTail {
  const log = join(clusterDir, 'audit', 'audit.log');

  /** A call is written down when it has been answered: a call of our own that is there ends the waiting. */
  async function mark(): Promise<number> {
    const from = statSync(log).size;
    const marker = randomUUID();
    await transport.call('GET', '/version', { query: { marker } });
    return eventually(
      'in the audit log',
      () => endOf(log, from, marker),
      (end) => end !== undefined,
    ).then((end) => end!);
  }

  return {
    mark,
    async since(start, user) {
      await mark();
      return readAudit(log, user, start);
    },
  };
}

/** Where the line with this text ends, in bytes. */
async function endOf(log: string, from: number, text: string): Promise<number | undefined> {
  let at = from;
  for await (const line of createInterface({ input: createReadStream(log, { start: from }) })) {
    at += Buffer.byteLength(line) + 1;
    if (line.includes(text)) return at;
  }
  return undefined;
}
