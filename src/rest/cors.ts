/** Which pages of other origins may use the API from a browser. */
import cors from 'cors';
import type { Request, RequestHandler } from 'express';
import { Problem } from './problem.ts';

/** No credentials: who asks is said by a header that a page must set itself, never by a cookie that a browser adds. */
export function crossOrigin(origins: string[]): RequestHandler {
  return cors({
    origin: origins,
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'Last-Event-ID', 'X-Request-Id'],
    exposedHeaders: ['Retry-After', 'X-Request-Id'],
    maxAge: 600,
  });
}

/** A page of another site that somebody has open must not make, change or delete anything through their browser. */
export function noCrossSiteWrite(origins: string[]): RequestHandler {
  return (request, _response, next) => {
    const isRead = ['GET', 'HEAD', 'OPTIONS'].includes(request.method);
    if (!isRead && isOfAnother(request) && !isOf(request, origins))
      throw new Problem(403, 'CrossSite', 'A page of another site asks for this; it is refused.');
    next();
  };
}

/** Browsers say it of what comes over TLS; of the rest only where the page is from. Whatever is no browser says neither. */
function isOfAnother({ headers }: Request): boolean {
  const { 'sec-fetch-site': site, origin, host } = headers;
  if (site !== undefined) return site === 'cross-site' || site === 'same-site';
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}

function isOf({ headers: { origin } }: Request, origins: string[]): boolean {
  return origin !== undefined && origins.includes(origin);
}
