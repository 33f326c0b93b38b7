/** The REST facade: routes, and what all of them share. */
import type { RequestListener } from 'node:http';
import express from 'express';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { Identity } from './auth.ts';
import { createSchema, parseBody, patchSchema } from './body.ts';
import { crossOrigin, noCrossSiteWrite } from './cors.ts';
import { docs } from './docs.ts';
import type { Held } from './held.ts';
import { keyIn } from './idempotency.ts';
import { jsonBody } from './json-body.ts';
import { describeApi } from './openapi.ts';
import { pageOf } from './page-of.ts';
import { Problem, noSuchWorkbench, notSynced, toProblem } from './problem.ts';
import { listQuery, oneQuery, parseQuery } from './query.ts';
import { quick } from './quick.ts';
import { rateLimit } from './rate.ts';
import { requestLog } from './request-log.ts';
import { createStreams } from './stream.ts';
import { setShareSchema } from './shares.ts';
import type { Shares } from './shares.ts';
import type { Caller } from './tokens.ts';
import type { Volumes } from './volumes.ts';
import { waitFor } from './wait.ts';
import type { Workbenches } from './workbenches.ts';

export interface AppOptions {
  workbenches: Workbenches;
  shares: Shares;
  volumes: Volumes;
  identity: Identity;
  log: Logger;
  urlPrefix: string;
  /** Waits and streams. */
  held: Held;
  /** Requests a second that each user may make; 0: any number. */
  perSecond: number;
  /** Of pages that may use this from a browser. */
  origins: string[];
  /** Whether the store has seen all that there is. */
  isSynced: () => boolean;
}

export function createApp(options: AppOptions): RequestListener {
  const { workbenches, shares, volumes, identity, log, urlPrefix, held, origins, isSynced } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.use(requestLog(log), ...(origins.length > 0 ? [crossOrigin(origins)] : []), noCrossSiteWrite(origins));

  const api = express.Router({ caseSensitive: true });
  api.use((_request, _response, next) => {
    if (!isSynced()) throw notSynced();
    next();
  });
  const checkRate = rateLimit(options.perSecond);
  const openStream = createStreams(held);
  // Before the body: nobody makes this read a long one without saying who they are.
  const known: RequestHandler = async (request, response, next) => {
    const asking = await identity.callerOf(request);
    await checkRate(asking.user);
    response.locals.caller = asking;
    next();
  };
  const caller = ({ locals }: Response) => locals.caller as Caller;
  const user = (response: Response) => caller(response).user;
  const id = (request: Request) => String(request.params.id);

  api
    .route('/workbenches')
    .get(known, async (request, response) => {
      const query = parseQuery(listQuery, request.query);
      response.json({ success: true, ...pageOf(await workbenches.list(user(response)), query) });
    })
    .post(known, jsonBody, async (request, response) => {
      const owner = user(response);
      const key = keyIn(request.headers['idempotency-key']);
      const item = await workbenches.create(owner, parseBody(createSchema, request.body), key);
      response.status(201).json({ success: true, item });
    })
    .all(methodNotAllowed('GET, POST'));
  api
    .route('/workbenches/:id')
    .get(known, async (request, response) => {
      const { wait, timeout } = parseQuery(oneQuery, request.query);
      const asked = { user: user(response), id: id(request) };
      const get = () => workbenches.get(asked.user, asked.id);
      const look = () => workbenches.look(asked.user, asked.id)?.item;
      const item = await get();
      const isThere = wait === undefined || wait.includes(item.status);
      if (!isThere) await waitFor(held, { ...asked, statuses: wait, seconds: timeout, look, response });
      // Who may see it is asked again: that may have changed in the meantime.
      response.json({ success: true, item: isThere ? item : await get() });
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
  api
    .route('/workbenches/:id/events')
    .get(known, async (request, response) => {
      const asked = { user: user(response), id: id(request) };
      await workbenches.get(asked.user, asked.id);
      const look = () => workbenches.look(asked.user, asked.id);
      const first = look();
      if (!first) throw noSuchWorkbench(asked.id);
      openStream({ ...asked, first, look, headers: request.headers, response });
    })
    .all(methodNotAllowed('GET'));
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
  app.use(`${urlPrefix}/docs`, docs());
  app.use(urlPrefix || '/', api);
  app.use(() => {
    throw new Problem(404, 'NotFound', `There is no such path; ${urlPrefix}/docs describes those that there are.`);
  });
  app.use(answerProblem(log));
  // Where each request is to be read in the log, each goes the long way.
  return log.isLevelEnabled('debug') ? app : quick({ workbenches, identity, checkRate, urlPrefix, isSynced }, app);
}

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
