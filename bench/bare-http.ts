/** The ceiling of the REST figures, as a process of its own: node:http with the bytes that another URL answers. Prints its own URL. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const response = await fetch(process.argv[2]!);
const body = Buffer.from(await response.arrayBuffer());
const type = response.headers.get('content-type')!;
const server = createServer((_request, answer) => {
  answer.writeHead(200, { 'content-type': type, 'content-length': body.length }).end(body);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`);
