/** The REST facade: routes, and what all of them share. */
import { randomUUID } from 'node:crypto';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import type { Identity } from './auth.ts';
import { createSchema, parseBody, patchSchema } from './body.ts';
import { describeApi } from './openapi.ts';
import { setShareSchema } from './shares.ts';
import type { Shares } from './shares.ts';
import type { Caller } from './tokens.ts';
import { Problem, invalid, notSynced, toProblem, unsupported } from './problem.ts';
import type { Volumes } from './volumes.ts';
import type { Workbenches } from './workbenches.ts';

export interface AppOptions {
  workbenches: Workbenches;
  shares: Shares;
  volumes: Volumes;
  identity: Identity;
  log: Logger;
  urlPrefix: string;
  /** Whether the store has seen all that there is. */
  isSynced: () => boolean;
}

const BODY_LIMIT = 256 * 1024;

export function createApp({ workbenches, shares, volumes, identity, log, urlPrefix, isSynced }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requestLog(log), noCrossSiteWrite);

  const api = express.Router({ caseSensitive: true });
  api.use((_request, _response, next) => {
    if (!isSynced()) throw notSynced();
    next();
  });
  // Before the body: nobody makes this read a long one without saying who they are.
  const known: RequestHandler = async (request, response, next) => {
    response.locals.caller = await identity.callerOf(request);
    next();
  };
  const caller = ({ locals }: Response) => locals.caller as Caller;
  const user = (response: Response) => caller(response).user;
  const id = (request: Request) => String(request.params.id);

  api
    .route('/workbenches')
    .get(known, async (_request, response) => {
      response.json({ success: true, items: await workbenches.list(user(response)) });
    })
    .post(known, jsonBody, async (request, response) => {
      const owner = user(response);
      const item = await workbenches.create(owner, parseBody(createSchema, request.body));
      response.status(201).json({ success: true, item });
    })
    .all(methodNotAllowed('GET, POST'));
  api
    .route('/workbenches/:id')
    .get(known, async (request, response) => {
      response.json({ success: true, item: await workbenches.get(user(response), id(request)) });
    })
    .patch(known, jsonBody, async (request, response) => {
      const item = await workbenches.patch(caller(response), id(request), parseBody(patchSchema, request.body));
      response.json({ success: true, item });
    })
    .delete(known, async (request, response) => {
      await workbenches.delete(user(response), id(request));
      response.json({ success: true });
    })
    .all(methodNotAllowed('GET, PATCH, DELETE'));
  for (const action of ['start', 'stop'] as const) {
    api
      .route(`/workbenches/:id/${action}`)
      .post(known, async (request, response) => {
        await workbenches[action](user(response), id(request));
        response.json({ success: true });
      })
      .all(methodNotAllowed('POST'));
  }
  api
    .route('/workbenches/:id/shares')
    .get(known, async (request, response) => {
      response.json({ success: true, items: await shares.list(user(response), id(request)) });
    })
    .post(known, jsonBody, async (request, response) => {
      const items = await shares.set(user(response), id(request), parseBody(setShareSchema, request.body));
      response.json({ success: true, items });
    })
    .all(methodNotAllowed('GET, POST'));

  api
    .route('/volumes')
    .get(known, (_request, response) => {
      response.json({ success: true, items: volumes.list(user(response)) });
    })
    .all(methodNotAllowed('GET'));
  api
    .route('/volumes/:id')
    .get(known, async (request, response) => {
      response.json({ success: true, item: await volumes.get(user(response), id(request)) });
    })
    .delete(known, async (request, response) => {
      await volumes.delete(user(response), id(request));
      response.json({ success: true });
    })
    .all(methodNotAllowed('GET, DELETE'));

  // It needs nobody's user, and no cluster.
  const description = describeApi(urlPrefix, identity.needs);
  app
    .route(`${urlPrefix}/openapi.json`)
    .get((_request, response) => void response.json(description))
    .all(methodNotAllowed('GET'));
  app.use(urlPrefix || '/', api);
  app.use(() => {
    throw new Problem(
      404,
      'NotFound',
      `There is no such path; ${urlPrefix}/openapi.json describes those that there are.`,
    );
  });
  app.use(answerProblem(log));
  return app;
}

/** A client's own request id is kept if it is harmless, so that its log and ours can be read together. */
function requestLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: (request, response) => {
      const given = request.headers['x-request-id'];
      const requestId = typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID();
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

/** Enough for the path of whatever we name ourselves. */
const LOGGED_PATH = 120;

const readBody = express.raw({ limit: BODY_LIMIT, type: () => true });

/** No body at all is fine, whatever its type; a body must be JSON and say so. */
const jsonBody: RequestHandler = (request, response, next) => {
  readBody(request, response, (error?: unknown) => {
    if (error) return next(error);
    try {
      request.body = jsonOf(request);
      next();
    } catch (problem) {
      next(problem);
    }
  });
};

function jsonOf(request: Request): unknown {
  const bytes: unknown = request.body;
  // A stream that ends without a byte has no body either.
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  if (!request.is(['json', '+json']))
    throw unsupported('The body must be JSON; send it with Content-Type: application/json.');
  const [, charset = 'utf-8'] = /;\s*charset="?([^";\s]+)/i.exec(type) ?? [];
  if (!/^(utf-8|us-ascii)$/i.test(charset))
    throw unsupported('The character set of the body is not supported; send UTF-8.');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalid('The body is not valid JSON.');
  }
}

/** A page of another site that somebody has open must not make, change or delete anything through their browser. */
const noCrossSiteWrite: RequestHandler = (request, _response, next) => {
  const isRead = ['GET', 'HEAD', 'OPTIONS'].includes(request.method);
  if (!isRead && request.headers['sec-fetch-site'] === 'cross-site')
    throw new Problem(403, 'CrossSite', 'A page of another site asks for this; it is refused.');
  next();
};

function methodNotAllowed(allowed: string): RequestHandler {
  return (request, response) => {
    response.setHeader('allow', allowed);
    throw new Problem(405, 'MethodNotAllowed', `${request.method} is not possible here; possible: ${allowed}.`);
  };
}

function answerProblem(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const problem =
      toProblem(error) ??
      new Problem(500, 'InternalError', 'Something went wrong in the controller; its log has more.');
    if (problem.status >= 500) log.error({ requestId: request.id, err: error }, problem.message);
    if (problem.retryAfter !== undefined) response.setHeader('retry-after', problem.retryAfter);
    if (problem.status === 401) response.setHeader('www-authenticate', challenge(problem));
    response
      .status(problem.status)
      .json({ success: false, error: { message: problem.message, reason: problem.reason } });
  };
}

/** RFC 6750: a client that sent no token is told nothing of errors. */
function challenge({ reason }: Problem): string {
  return `Bearer realm="workbenches"${reason === 'InvalidToken' ? ', error="invalid_token"' : ''}`;
}
