/** A listener's beginning and end. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Requests under way are given this long once no new ones are taken. */
const PATIENCE_MS = 5_000;

/** A server whose every answer is JSON, also to what is no request at all. */
export function createJsonServer(options: ServerOptions, listener: RequestListener): Server {
  const server = createServer(options, (request, response) => {
    // Neither a path nor a URL of ours: a router would have no path to look at, and pass it by.
    if (!/^(\/|https?:\/\/)/i.test(request.url ?? '')) request.url = '/-';
    listener(request, response);
  });
  return server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const [status, reason, message] = UNREADABLE[error.code ?? ''] ?? [
      '400 Bad Request',
      'Invalid',
      'This is no HTTP request.',
    ];
    const body = JSON.stringify({ success: false, error: { message, reason } });
    const headers = `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
    socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`);
  });
}

const UNREADABLE: Record<string, [status: string, reason: string, message: string]> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'TooLarge', 'The headers are larger than 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'Timeout', 'The request did not arrive in time.'],
};

/** @param host undefined: all addresses, of IPv6 and IPv4. @throws Error EADDRINUSE, EACCES, … */
export async function listen(server: Server, port: number, host: string | undefined): Promise<Server> {
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
