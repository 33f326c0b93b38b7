/** How the guard answers. Each answer bears the header by which the endpoint check tells it from a workbench's own. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PAGE_HEADER } from '../workbench/ingress.ts';

export interface Notice {
  status: number;
  /** The header's value. */
  state: string;
  title: string;
  text: string;
  reason?: string;
}

/** How something is shown to a person. */
export interface Pages {
  /** The state of a workbench; undefined: there is none. */
  state(request: IncomingMessage, response: ServerResponse, id: string | undefined): void;
  notice(request: IncomingMessage, response: ServerResponse, notice: Notice): void;
}

type Headers = Record<string, string | undefined>;

/** Lets a request pass, with these of its headers and no others of their names. */
export function pass(response: ServerResponse, headers: Headers): void {
  response.writeHead(200, present(headers));
  response.end();
}

export function redirect(response: ServerResponse, location: string, cookies: string[] = []): void {
  const more = cookies.length > 0 ? { 'set-cookie': cookies } : {};
  response.writeHead(302, { ...NEVER_KEPT, location, [PAGE_HEADER]: 'login', ...more });
  response.end();
}

/** A status alone. */
export function refuse(response: ServerResponse, status: number, state: string): void {
  response.writeHead(status, { ...NEVER_KEPT, [PAGE_HEADER]: state });
  response.end();
}

const NEVER_KEPT = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };

function present(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
