/** The body of a request, read once it is known who asks. */
import express from 'express';
import type { Request, RequestHandler } from 'express';
import { invalid, unsupported } from './problem.ts';

const BODY_LIMIT = 256 * 1024;

const readBody = express.raw({ limit: BODY_LIMIT, type: () => true });

/** No body at all is fine, whatever its type; a body must be JSON and say so. */
export const jsonBody: RequestHandler = (request, response, next) => {
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
