/**
 * The listener behind /project where workbenches are guarded. It tells an Ingress controller that asks before it routes
 * (/guard/traefik, /guard/nginx) which requests may pass; what is routed here it judges the same way, and shows the state page.
 */
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { basePath } from '../workbench/identity.ts';
import type { Settings } from '../workbench/settings.ts';
import type { Asked, Judgement } from './judge.ts';
import { LoginError } from './login.ts';
import type { OwnPages } from './own-pages.ts';
import { placeOf } from './path.ts';
import { pass, refuse } from './reply.ts';
import type { Pages } from './reply.ts';
import type { Seal } from './seal.ts';

export interface GuardOptions {
  judge: (asked: Asked) => Promise<Judgement>;
  ownPages: OwnPages;
  seal: Seal;
  pages: Pages;
  settings: Settings;
  onProblem: (error: unknown) => void;
}

/** Lets a request in to the state page of one workbench: its cookie did not come along. */
export const PASS_HEADER = 'workbench-pass';
const PASS_S = 30;

export function createGuard({ judge, ownPages, seal, pages, settings, onProblem }: GuardOptions): RequestListener {
  const prefix = basePath('', settings);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const via = /^\/guard\/(traefik|nginx)$/.exec(request.url ?? '')?.[1];
    if (via === 'traefik') return tell(request, response, askedByTraefik(request));
    if (via === 'nginx') return tellBriefly(response, askedByNginx(request));
    const asked = { method: request.method!, uri: request.url!, host: request.headers.host, headers: request.headers };
    if (await hasPass(asked)) return pages.state(request, response, idOf(asked));
    const judgement = await judge(asked);
    if (judgement.is === 'own') return ownPages.show(judgement.page, request, response);
    if (judgement.is === 'allowed') return pages.state(request, response, judgement.id);
    return turnAway(request, response, judgement, asked);
  }

  /** Yes with what of two headers the workbench may see, or what the browser gets instead. */
  async function tell(request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> {
    const judgement = await judge(asked);
    if (!mayPass(judgement)) return turnAway(request, response, judgement, asked);
    pass(response, await headersFor(judgement, asked));
  }

  /** nginx takes 401 and 403 for a no, and nothing else; what the browser gets then is its business. */
  async function tellBriefly(response: ServerResponse, asked: Asked): Promise<void> {
    const judgement = await judge(asked);
    if (mayPass(judgement)) return pass(response, await headersFor(judgement, asked));
    refuse(response, judgement.is === 'stranger' && isNavigation(asked) ? 401 : 403, judgement.is);
  }

  async function headersFor(judgement: Judgement, { headers }: Asked): Promise<Record<string, string | undefined>> {
    // The pages of a login need the cookies of that login.
    if (judgement.is !== 'allowed') return { cookie: headers.cookie, authorization: headers.authorization };
    const { id, cookie, authorization } = judgement;
    return { cookie, authorization, [PASS_HEADER]: await seal.close('pass', { id }, PASS_S) };
  }

  async function hasPass(asked: Asked): Promise<boolean> {
    const given = headerOf(asked.headers, PASS_HEADER);
    const claims = await seal.open('pass', given);
    return claims !== undefined && claims.id === idOf(asked);
  }

  function idOf({ uri }: Asked): string | undefined {
    const place = placeOf(uri, prefix);
    return place && 'id' in place ? place.id : undefined;
  }

  async function turnAway(
    request: IncomingMessage,
    response: ServerResponse,
    judgement: Exclude<Judgement, Passing>,
    asked: Asked,
  ): Promise<void> {
    if (judgement.is === 'unknown') return pages.state(request, response, undefined);
    if (judgement.is === 'stranger' && isNavigation(asked))
      return ownPages.begin(response, judgement.id, asked.uri, asked.headers);
    const { status, reason, message } = judgement.is === 'refused' ? judgement : NOBODY;
    const title = status === 401 ? 'You are not logged in' : 'This is not possible';
    pages.notice(request, response, { status, state: 'refused', title, text: message, reason });
  }

  function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent) return void response.destroy();
    const isTheirs = error instanceof LoginError;
    if (!isTheirs || error.cause !== undefined) onProblem(error);
    pages.notice(request, response, {
      status: isTheirs ? 400 : 503,
      state: 'refused',
      title: 'You could not be logged in',
      text: isTheirs ? `${error.message} Open the workbench again.` : UNAVAILABLE,
      reason: isTheirs ? 'LoginFailed' : 'IdentityUnavailable',
    });
  }

  return (request, response) => {
    void answer(request, response).catch((error: unknown) => fail(request, response, error));
  };
}

type Passing = Extract<Judgement, { is: 'allowed' | 'own' }>;
const mayPass = (judgement: Judgement): judgement is Passing => judgement.is === 'allowed' || judgement.is === 'own';

const NOBODY = { status: 401, reason: 'Unauthorized', message: 'Open the workbench in a browser to log in.' };
const UNAVAILABLE = 'The identity provider cannot be asked just now; try again in a moment.';

/** Traefik writes these itself, over whatever the client sent (`trustForwardHeader: false`, its default). */
function askedByTraefik({ headers }: IncomingMessage): Asked {
  const of = (name: string) => headerOf(headers, `x-forwarded-${name}`);
  return { method: of('method') ?? '', uri: of('uri') ?? '', host: of('host'), headers };
}

/** As ingress-nginx writes them. */
function askedByNginx({ headers }: IncomingMessage): Asked {
  const [, host, uri = ''] = /^https?:\/\/([^/]*)(\/.*)$/s.exec(headerOf(headers, 'x-original-url') ?? '') ?? [];
  return { method: headerOf(headers, 'x-original-method') ?? '', uri, host, headers };
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** A person who opens a page, and not a page that fetches. */
function isNavigation({ method, headers }: Asked): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const mode = headers['sec-fetch-mode'];
  return mode === undefined ? (headers.accept ?? '').includes('text/html') : mode === 'navigate';
}
