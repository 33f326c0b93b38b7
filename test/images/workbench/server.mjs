/** The test workbench: it serves a page, files and a WebSocket under its base path, and misbehaves on request. */
import { createWriteStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';

// Process 1 of a container is deaf to any signal it has no handler for.
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));

const port = Number(process.env.WORKBENCH_PORT || 8888);
const base = `/${process.env.WORKBENCH_BASE_PATH ?? ''}`.replaceAll(/\/+/g, '/').replace(/\/$/, '');
const workspace = process.env.WORKSPACE_PATH || '/home/project';
const id = process.env.WORKBENCH_ID || base.slice(base.lastIndexOf('/') + 1);
const pod = hostname();
const version = await readFile(new URL('version', import.meta.url), 'utf8').catch(() => 'unversioned');
const eaten = [];

const routes = {
  'GET /': (_request, response) => {
    const facts = { version, workbench: id, pod };
    const rows = Object.entries(facts).map(([name, value]) => `<dt>${name}</dt><dd>${escape(value)}</dd>`);
    send(response, 200, 'text/html; charset=utf-8', `<h1>workbench</h1>\n<dl>${rows.join('')}</dl>\n`);
  },
  'GET /version': (_request, response) => send(response, 200, 'text/plain', version),
  'GET /env': (_request, response) => sendJson(response, process.env),
  'GET /headers': (request, response) => sendJson(response, request.headers),
  'GET /files': async (_request, response) => {
    const found = await readdir(workspace, { withFileTypes: true });
    sendJson(response, found.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).toSorted());
  },
  'POST /exit': (_request, response, query) => {
    send(response, 202, 'text/plain', 'bye', () => process.exit(count(query, 'code', 0)));
  },
  'POST /eat': (_request, response, query) => {
    // Filled with ones, as pages nobody wrote to do not count as memory.
    const mb = count(query, 'mb', 1);
    eaten.push(Buffer.alloc(mb * 1024 * 1024, 1));
    send(response, 200, 'text/plain', `ate ${mb} MB`);
  },
  'POST /unready': (_request, response, query) => {
    send(response, 202, 'text/plain', 'back soon', () => void closeFor(count(query, 'seconds', 5)));
  },
};

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (response.headersSent) response.destroy();
    else send(response, error.status ?? (error.code === 'ENOENT' ? 404 : 500), 'text/plain', String(error));
  });
});
const sockets = new WebSocketServer({ noServer: true });

server.on('upgrade', (request, socket, head) => {
  const { path } = locate(request);
  if (path !== '/echo' && path !== '/headers') {
    socket.end(`HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n${strayed(request)}`);
    return;
  }
  sockets.handleUpgrade(request, socket, head, (client) => {
    client.on('error', (error) => console.error(error));
    // What came along with the request that opened it; a proxy may treat it unlike others.
    if (path === '/headers') client.send(JSON.stringify(request.headers));
    client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
  });
});

server.listen(port, () => console.log(`workbench ${id} ${version} listens on ${port} under ${base}/`));

async function answer(request, response) {
  response.setHeader('X-Workbench-Version', version);
  response.setHeader('X-Workbench-Id', id);
  response.setHeader('X-Workbench-Pod', pod);
  const { path, query } = locate(request);
  if (path === undefined) return send(response, 404, 'text/plain', strayed(request));
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const file = /^\/files\/([^/]+)$/.exec(path)?.[1];
  if (file !== undefined) return serveFile(method, decodeURIComponent(file), request, response);
  const route = routes[`${method} ${path}`];
  if (route) return route(request, response, query);
  return send(response, 404, 'text/plain', `No ${method} ${path} under ${base}/`);
}

async function serveFile(method, name, request, response) {
  // A name with a slash in disguise or `..` would leave the workspace.
  if (name.includes('/') || name === '..' || name === '.') throw refuse(`Not a file name: ${name}`);
  const path = join(workspace, name);
  if (method === 'GET') return send(response, 200, 'application/octet-stream', await readFile(path));
  if (method !== 'PUT') throw refuse(`Files know GET and PUT, not ${method}`);
  await pipeline(request, createWriteStream(path));
  return send(response, 201, 'text/plain', path);
}

/** The request's path below the base path, or none when it lies elsewhere. */
function locate(request) {
  // By hand rather than by URL(), which would tidy `//` and `..` away: a proxy's mistakes are to stay visible.
  const [pathname, search] = request.url.split('?', 2);
  const query = new URLSearchParams(search);
  if (pathname === base) return { path: '/', query };
  return { path: pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : undefined, query };
}

function strayed(request) {
  return `${request.method} ${request.url} does not belong to the workbench ${id}, which serves ${base}/\n`;
}

function count(query, name, otherwise) {
  const value = Number(query.get(name) ?? otherwise);
  if (!Number.isInteger(value) || value < 0) throw refuse(`Not a whole number: ${name}=${query.get(name)}`);
  return value;
}

async function closeFor(seconds) {
  server.close();
  server.closeAllConnections();
  await sleep(seconds * 1000);
  server.listen(port);
}

function refuse(message) {
  return Object.assign(new Error(message), { status: 400 });
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function sendJson(response, value) {
  send(response, 200, 'application/json', JSON.stringify(value));
}

function send(response, status, type, body, sent) {
  response.writeHead(status, { 'Content-Type': type });
  response.end(body, sent);
}
