import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';

/** So many in a row are one process's as long as it lives. */
const BLOCK = 64;

let block: Iterator<number> | undefined;

/**
 * A free port for each name, from a block that no other process which asks here gives out, and outside the range that the
 * kernel hands to outgoing connections: so that a component that is killed finds its port free when it starts again. For
 * the rest of the luck, whoever starts something on them asks again after `isPortTaken`.
 */
export async function freePorts<Name extends string>(
  names: readonly Name[],
  addresses: string[],
): Promise<Record<Name, number>> {
  const found = new Map<Name, number>();
  while (found.size < names.length) {
    const next = block?.next();
    if (!next || next.done) block = await claimBlock();
    else if (await isFree(next.value, addresses)) found.set(names[found.size]!, next.value);
  }
  return Object.fromEntries(found) as Record<Name, number>;
}

/** Listening on the first port of a block holds it, and ends with the process, however that ends. */
async function claimBlock(): Promise<Iterator<number>> {
  const range = portsToChooseFrom(outgoingPorts());
  const blocks = Math.floor((range.last - range.first + 1) / BLOCK);
  for (;;) {
    const first = range.first + BLOCK * Math.floor(Math.random() * blocks);
    const holder = await listen(first, '127.0.0.1');
    if (!holder) continue;
    holder.unref();
    return Array.from({ length: BLOCK - 1 }, (_, index) => first + 1 + index).values();
  }
}

/** Did a start fail because somebody else listened first? */
export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && /address already in use|EADDRINUSE/.test(error.message);
}

interface Range {
  first: number;
  last: number;
}

/** The larger part beside the outgoing range, without the well-known ports. */
export function portsToChooseFrom(outgoing: Range): Range {
  const below = { first: 10_000, last: outgoing.first - 1 };
  const above = { first: outgoing.last + 1, last: 65_535 };
  const larger = above.last - above.first > below.last - below.first ? above : below;
  return larger.last - larger.first >= 1000 ? larger : { first: 20_000, last: 32_000 };
}

function outgoingPorts(): Range {
  const [first = 32_768, last = 60_999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return { first, last };
}

export async function isFree(port: number, addresses: string[]): Promise<boolean> {
  for (const address of addresses) {
    const server = await listen(port, address);
    if (!server) return false;
    server.close();
    await once(server, 'close');
  }
  return true;
}

/** undefined: somebody else listens there. */
function listen(port: number, address: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, address, () => resolve(server));
  });
}
