/** A listener's beginning and end. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** Requests under way are given this long once no new ones are taken. */
const PATIENCE_MS = 5_000;

/** @throws Error EADDRINUSE, EACCES, … */
export async function listen(server: Server, port: number, host: string): Promise<Server> {
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

/**
 * Goes on answering for `graceMs`, and asks every client to come back on another connection; then takes no more, and resolves
 * when the requests under way are answered. Whoever routes here hears of the end a moment after it has begun.
 */
export async function drain(server: Server, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    server.prependListener('request', (_, response) => response.setHeader('connection', 'close'));
    await delay(graceMs);
  }
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const impatience = setTimeout(() => server.closeAllConnections(), PATIENCE_MS);
  await closed;
  clearTimeout(impatience);
}
