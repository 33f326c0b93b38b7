/** Who may open what: the one decision about a request to a workbench's URL, whichever way it is asked for. */
import type { IncomingHttpHeaders } from 'node:http';
import { decodeJwt } from 'jose';
import { originOf } from '../workbench/identity.ts';
import type { Settings } from '../workbench/settings.ts';
import type { Right } from '../workbench/shares.ts';
import { SESSION, cookieOf, withoutOurs } from './cookies.ts';
import { placeOf } from './path.ts';
import type { Seal } from './seal.ts';

/** A browser's request, as the Ingress controller got it. */
export interface Asked {
  method: string;
  /** As it came, with nothing decoded. */
  uri: string;
  host: string | undefined;
  headers: IncomingHttpHeaders;
}

export interface Refused {
  is: 'refused';
  status: number;
  reason: string;
  message: string;
}

export type Judgement =
  /** With what is left of these headers for the workbench. */
  | { is: 'allowed'; id: string; cookie?: string; authorization?: string }
  /** A page of the guard's own. */
  | { is: 'own'; page: string }
  /** Nobody has logged in. */
  | { is: 'stranger'; id: string }
  /** There is no such workbench, or it is somebody else's: the same to whoever asks. */
  | { is: 'unknown' }
  | Refused;

export interface JudgeOptions {
  seal: Seal;
  settings: Settings;
  /** What all workbenches' paths begin with. */
  prefix: string;
  issuer: string;
  /** Of the API. */
  audience: string;
  /** Of a bearer token of the issuer's. @throws with a `status` when it is not valid here */
  verify: (token: string) => Promise<{ user: string }>;
  /** @throws when it cannot be known just now */
  rightOf: (id: string, user: string) => Promise<Right | undefined>;
  /** Also where all workbenches share one origin, and the pages of one could act in its visitor's own. */
  allowsSameOriginSharing: boolean;
}

type Credential = { user: string; isCookie: boolean } | 'probe' | undefined;

export function createJudge(options: JudgeOptions): (asked: Asked) => Promise<Judgement> {
  const { seal, settings, prefix, issuer, audience, verify, rightOf } = options;

  /** As it says itself; whether that is true is for `verify`. */
  function isForUs(token: string): boolean {
    try {
      const { iss, aud } = decodeJwt(token);
      return iss === issuer && [aud].flat().includes(audience);
    } catch {
      return false;
    }
  }

  /** A token of ours, consumed here; anything else in that header is between the browser and the workbench. */
  async function byBearer(token: string | undefined, id: string): Promise<Credential | 'foreign'> {
    if (token === undefined) return 'foreign';
    const probe = await seal.open('probe', token);
    if (probe) return probe.id === id ? 'probe' : undefined;
    if (!isForUs(token)) return 'foreign';
    return { user: (await verify(token)).user, isCookie: false };
  }

  async function bySession(headers: IncomingHttpHeaders, id: string): Promise<Credential> {
    const session = await seal.open('session', cookieOf(headers.cookie, SESSION));
    const isHere = !settings.workbenchDomain || session?.at === id;
    return session && isHere ? { user: String(session.user), isCookie: true } : undefined;
  }

  return async ({ method, uri, host, headers }) => {
    const place = placeOf(uri, prefix);
    if (`${uri}/`.startsWith(prefix) && uri.length <= prefix.length) return { is: 'unknown' };
    if (!place)
      return refused(400, 'AmbiguousPath', 'This address can be read in more than one way; open the plain one.');
    if ('own' in place) return { is: 'own', page: place.own };
    const { id } = place;
    const origin = originOf(id, settings);
    if (settings.workbenchDomain && host !== new URL(origin).host)
      return refused(400, 'WrongHost', `This workbench is at ${origin}.`);

    const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
    let credential: Credential | 'foreign';
    try {
      credential = await byBearer(bearer, id);
    } catch (error) {
      return ofProblem(error as Error & { status?: number; reason?: string });
    }
    const isOurs = credential !== 'foreign';
    if (credential === 'foreign') credential = await bySession(headers, id);
    if (credential === undefined) return { is: 'stranger', id };

    const cookie = withoutOurs(headers.cookie);
    const allowed: Judgement = {
      is: 'allowed',
      id,
      ...(cookie === undefined ? {} : { cookie }),
      ...(isOurs || headers.authorization === undefined ? {} : { authorization: headers.authorization }),
    };
    if (credential === 'probe') return allowed;
    if (credential.isCookie && isFromElsewhere(method, headers, origin))
      return refused(403, 'CrossSite', 'A page of another site asks for this in your name; it is refused.');
    let right: Right | undefined;
    try {
      right = await rightOf(id, credential.user);
    } catch {
      return refused(
        503,
        'ClusterUnavailable',
        'Whether you may open this cannot be known just now; try again in a moment.',
      );
    }
    if (right === undefined) return { is: 'unknown' };
    if (right !== 'owner' && !settings.workbenchDomain && !options.allowsSameOriginSharing)
      return refused(403, 'SharingNeedsHostMode', SHARES_NEED_HOSTS);
    // A page that is only looked at: what reads may not begin a conversation either.
    const isTalk = headers['sec-websocket-key'] !== undefined || headers['http2-settings'] !== undefined;
    const isRead = (method === 'GET' || method === 'HEAD') && !isTalk;
    if (right === 'read' && !isRead) return refused(403, 'ReadOnly', 'This workbench is shared with you for reading.');
    return allowed;
  };
}

const SHARES_NEED_HOSTS =
  'This workbench is shared with you, and could act in your own ones here; its owner can work in it, and an administrator can give each an address of its own.';

function refused(status: number, reason: string, message: string): Refused {
  return { is: 'refused', status, reason, message };
}

function ofProblem({
  status = 503,
  reason = 'IdentityUnavailable',
  message,
}: Error & { status?: number; reason?: string }): Refused {
  return refused(status, reason, message);
}

/** Whether a page of another origin makes the browser ask, with the cookie of who has it open. A link that somebody follows may. */
function isFromElsewhere(method: string, headers: IncomingHttpHeaders, own: string): boolean {
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } = headers;
  if (site === 'same-origin') return false;
  if (origin !== undefined && origin !== own) return true;
  if (site === undefined || site === 'none') return false;
  // Not into a frame of that page, which could make people click there.
  const isFollowed =
    mode === 'navigate' && dest !== 'iframe' && dest !== 'frame' && (method === 'GET' || method === 'HEAD');
  return !isFollowed;
}
