/** `/livez`, `/readyz` and `/metrics`, on a port that is never public. */
import { createServer } from 'node:http';
import type { Server, ServerOptions, ServerResponse } from 'node:http';

export interface HealthOptions {
  /** What is not ready, one word each; empty: ready. */
  waitingFor: () => string[];
  /** The kinds whose watches have gone blind, so that a restart would help; empty: alive. */
  blind: () => string[];
  metrics: () => Promise<{ contentType: string; text: string }>;
}

export function createHealthServer(options: ServerOptions, { waitingFor, blind, metrics }: HealthOptions): Server {
  return createServer(options, (request, response) => {
    switch ((request.url ?? '').split('?')[0]) {
      case '/livez':
        return answer(
          response,
          blind(),
          (kinds) => `the API server answers, but nothing has come for long of ${kinds}`,
        );
      case '/readyz':
        return answer(response, waitingFor(), (kinds) => `waiting for ${kinds}`);
      case '/metrics':
        return void metrics().then(
          ({ contentType, text }) => response.setHeader('content-type', contentType).end(text),
          () => response.writeHead(500).end(),
        );
      default:
        return response.writeHead(404).end('only /livez, /readyz and /metrics are here\n');
    }
  });
}

function answer(response: ServerResponse, problems: string[], sentence: (problems: string) => string): void {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  if (problems.length === 0) response.end('ok\n');
  else response.writeHead(503).end(`${sentence(problems.join(', '))}\n`);
}
