/** A request whose target goes out to the letter; every library would tidy it up. */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
}

/** @param target such as "/project/../a". Resolves with status 0 when the connection is closed without an answer */
export async function send(origin: string, target: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port) });
  const lines = Object.entries({ host, connection: 'close', ...headers }).map(([name, value]) => `${name}: ${value}`);
  socket.setTimeout(10_000, () => socket.destroy());
  // Not ended: to a server that would mean that nobody waits for the answer.
  socket.write(Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  const [first = '', ...rest] = text.split('\r\n\r\n')[0]!.split('\r\n');
  const pairs = rest.map((line) => /^([^:]+): ?(.*)$/.exec(line)).filter((match) => match !== null);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0),
    headers: Object.fromEntries(pairs.map(([, name, value]) => [name!.toLowerCase(), value!])),
  };
}
