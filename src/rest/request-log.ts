/** One line for each request that matters. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';

/** Enough for the path of whatever we name ourselves. */
const LOGGED_PATH = 120;

/** A client's own is kept if it is harmless, so that its log and ours can be read together. */
export function requestIdOf({ 'x-request-id': given }: IncomingHttpHeaders): string {
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID();
}

export function requestLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: (request, response) => {
      const requestId = requestIdOf(request.headers);
      response.setHeader('x-request-id', requestId);
      return requestId;
    },
    // Polls are most of the traffic; they are there when one looks for them.
    customLogLevel: (request, response) =>
      response.statusCode >= 500 ? 'error' : request.method === 'GET' && response.statusCode < 400 ? 'debug' : 'info',
    serializers: {
      req: ({ id: requestId, method, url }: { id: string; method: string; url: string }) => ({
        id: requestId,
        method,
        // Whoever puts a token where an id belongs does not find it here whole.
        path: url.split('?')[0]!.slice(0, LOGGED_PATH),
      }),
      res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
    },
  });
}
