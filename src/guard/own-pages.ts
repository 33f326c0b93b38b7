/**
 * The pages of a login: `login` begins it, `callback` is where the provider sends the browser back to, `enter` hands the session on
 * to a workbench's own host, `logout` ends it. They are the same at every replica: what must be known again is in a sealed cookie.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { basePath, originOf } from '../workbench/identity.ts';
import type { Settings } from '../workbench/settings.ts';
import { LOGIN, SESSION, clearCookie, cookieOf, namesOf, setCookie } from './cookies.ts';
import { redirect } from './reply.ts';
import type { Pages } from './reply.ts';
import { LoginError } from './login.ts';
import type { Login } from './login.ts';
import { placeOf } from './path.ts';
import type { Seal } from './seal.ts';

export interface OwnPagesOptions {
  login: Login;
  seal: Seal;
  pages: Pages;
  settings: Settings;
  /** Seconds that a login is good for. */
  sessionSeconds: number;
}

export interface OwnPages {
  /** Sends a browser that nobody has logged in with on its way. @param uri where it comes back to */
  begin(response: ServerResponse, id: string, uri: string, headers: IncomingHttpHeaders): Promise<void>;
  /** @throws LoginError */
  show(page: string, request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** From the first page of a login to its last. */
const LOGIN_S = 600;
const ENTER_S = 60;
/** Logins under way in one browser; more are tabs that were never gone on with. */
const MOST_LOGINS = 5;
/** Of a state or a nonce, in a cookie's name. */
const SHORT = 8;

export function createOwnPages({ login, seal, pages, settings, sessionSeconds }: OwnPagesOptions): OwnPages {
  const prefix = basePath('', settings);
  /** Every workbench has an origin of its own, and the provider knows of none of them. */
  const hasHosts = settings.workbenchDomain !== undefined;
  const home = `${new URL(settings.baseUrl!).origin}${prefix}-`;

  async function toProvider(response: ServerResponse, to: string, headers: IncomingHttpHeaders): Promise<void> {
    const { location, ...begun } = await login.begin();
    const waiting = await seal.close('login', { ...begun, to }, LOGIN_S);
    redirect(response, location, [setCookie(nameOf(begun.state), waiting, LOGIN_S), ...outdated(headers)]);
  }

  async function toHome(response: ServerResponse, id: string, to: string, headers: IncomingHttpHeaders): Promise<void> {
    const nonce = crypto.randomUUID();
    const waiting = await seal.close('login', { to, nonce }, LOGIN_S);
    const query = new URLSearchParams({ id, nonce });
    const cookies = [setCookie(nameOf(nonce), waiting, LOGIN_S), ...outdated(headers)];
    redirect(response, `${home}/login?${query.toString()}`, cookies);
  }

  /** At home: for a workbench's own host, or for an Ingress controller that cannot send people to the provider itself. */
  async function showLogin(query: URLSearchParams, headers: IncomingHttpHeaders, response: ServerResponse) {
    // As ingress-nginx says where it was: a whole URL.
    const wanted = hasHosts
      ? `${prefix}${query.get('id') ?? ''}`
      : (query.get('rd') ?? '').replace(/^https?:\/\/[^/]+/, '');
    const place = placeOf(wanted, prefix);
    if (!place || !('id' in place)) throw new LoginError('This address leads to no workbench.');
    if (!hasHosts) return toProvider(response, wanted, headers);
    const session = await seal.open('session', cookieOf(headers.cookie, SESSION));
    if (session?.at !== HOME) return toProvider(response, `${prefix}-/login?${query.toString()}`, headers);
    const { user, exp: until } = session;
    const code = await seal.close('enter', { user, until, id: place.id, nonce: query.get('nonce') }, ENTER_S);
    redirect(response, `${originOf(place.id, settings)}${prefix}-/enter?${new URLSearchParams({ code }).toString()}`);
  }

  async function showCallback(query: URLSearchParams, headers: IncomingHttpHeaders, response: ServerResponse) {
    const state = query.get('state') ?? '';
    const begun = await seal.open('login', cookieOf(headers.cookie, nameOf(state)));
    if (begun?.state === undefined || begun.state !== state) throw new LoginError(TOO_LATE);
    const { nonce, verifier, to } = begun as Record<string, string>;
    const user = await login.finish(query.toString(), { state, nonce: nonce!, verifier: verifier! });
    redirect(response, to!, [await session(user, HOME, sessionSeconds), clearCookie(nameOf(state))]);
  }

  async function showEnter(query: URLSearchParams, headers: IncomingHttpHeaders, response: ServerResponse) {
    const code = await seal.open('enter', query.get('code') ?? undefined);
    const nonce = String(code?.nonce);
    const begun = await seal.open('login', cookieOf(headers.cookie, nameOf(nonce)));
    const isHere = code !== undefined && new URL(originOf(String(code.id), settings)).host === headers.host;
    // Only the browser that asked for it has that cookie: a code that somebody sees or sends opens nothing.
    if (!isHere || begun === undefined || begun.nonce !== nonce) {
      // Away from the code, before a page of this host that opened the window can read it there.
      if (query.size > 0) return redirect(response, `${prefix}-/enter`);
      throw new LoginError(TOO_LATE);
    }
    const seconds = Math.round(Number(code.until) - Date.now() / 1000);
    const cookies = [await session(String(code.user), String(code.id), seconds), clearCookie(nameOf(nonce))];
    redirect(response, String(begun.to), cookies);
  }

  async function session(user: string, at: string, seconds: number): Promise<string> {
    return setCookie(SESSION, await seal.close('session', { user, at }, seconds), seconds);
  }

  /** At a workbench's own host, too: the login at home would else let the browser in again. */
  function showLogout(request: IncomingMessage, response: ServerResponse, isHome: boolean): void {
    if (!isHome) return redirect(response, `${home}/logout`, [clearCookie(SESSION)]);
    response.setHeader('set-cookie', clearCookie(SESSION));
    const others = hasHosts ? ' Other workbenches that are open stay so until their time is over.' : '';
    const text = `The identity provider may still know you, and let you in again without asking.${others}`;
    pages.notice(request, response, { status: 200, state: 'logout', title: 'You are logged out', text });
  }

  return {
    begin: (response, id, uri, headers) =>
      hasHosts ? toHome(response, id, uri, headers) : toProvider(response, uri, headers),

    async show(page, request, response) {
      const { headers } = request;
      const query = new URLSearchParams(request.url!.split('?')[1] ?? '');
      const isHome = !hasHosts || headers.host === new URL(home).host;
      if (page === 'logout') return showLogout(request, response, isHome);
      if (page === 'login' && isHome) return showLogin(query, headers, response);
      if (page === 'callback' && isHome) return showCallback(query, headers, response);
      if (page === 'enter' && hasHosts && !isHome) return showEnter(query, headers, response);
      throw new LoginError('Nobody logs in at this address.');
    },
  };
}

/** No workbench's id begins so. */
const HOME = '-';
const TOO_LATE = 'This login was begun in another browser, or too long ago.';

const nameOf = (state: string) => LOGIN + state.replaceAll(/[^\w-]/g, '').slice(0, SHORT);

/** Cookies of logins that nobody went on with. */
function outdated({ cookie }: IncomingHttpHeaders): string[] {
  const names = namesOf(cookie, LOGIN);
  return names.length < MOST_LOGINS ? [] : names.map(clearCookie);
}
