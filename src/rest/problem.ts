/** What goes wrong, as a client reads it: one sentence, one reason, one HTTP status. The only table from errors to answers. */
import { isKubeError } from '../kube/errors.ts';
import type { ErrorKind } from '../kube/errors.ts';
import { refusalFrom } from '../kube/refusal.ts';

export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly reason: string;
  /** Seconds, for the Retry-After header. */
  readonly retryAfter?: number;

  constructor(status: number, reason: string, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
  }
}

export const invalid = (message: string) => new Problem(400, 'Invalid', message);
export const unsupported = (message: string) => new Problem(415, 'UnsupportedMediaType', message);
/** Also for another user's workbench: that it exists is not disclosed. */
export const noSuchWorkbench = (id: string) =>
  new Problem(404, 'NotFound', `There is no workbench "${id.slice(0, 60)}" of yours.`);
export const notSynced = () =>
  new Problem(
    503,
    'NotReady',
    'The controller is starting and has not seen all workbenches yet; try again in a moment.',
    1,
  );

export const contended = () =>
  new Problem(409, 'Conflict', 'Somebody else changed this workbench at the same moment; look at it and try again.');

const notInstalled = (why: string) =>
  new Problem(503, 'NotInstalled', `The controller is not installed completely: ${why}`, 10);

const seconds = (retryAfterMs: number | undefined, fallback: number) =>
  Math.ceil((retryAfterMs ?? fallback * 1000) / 1000);

const KUBE: Partial<Record<ErrorKind, (message: string, retryAfterMs?: number) => Problem>> = {
  invalid: (message) => new Problem(400, 'Invalid', message),
  badRequest: (message) => new Problem(400, 'Refused', `The cluster refuses this: ${message}`),
  notFound: (message) => notInstalled(message),
  conflict: contended,
  alreadyExists: () => new Problem(409, 'Conflict', 'A workbench of this name exists already; try again.'),
  throttled: (_message, retryAfterMs) =>
    new Problem(429, 'TooManyRequests', 'The cluster is busy; try again in a moment.', seconds(retryAfterMs, 1)),
};

/** Errors of express and its body parser carry a type. */
const BODY: Record<string, Problem> = {
  'entity.too.large': new Problem(413, 'TooLarge', 'The body is larger than 256 KiB.'),
  'encoding.unsupported': unsupported('The content encoding of the body is not supported.'),
  'request.aborted': invalid('The request was cut off.'),
  'request.size.invalid': invalid('The body does not have the length that its header says.'),
};

/** @returns undefined for what nobody foresaw: a defect, to be logged with its stack and answered without it */
export function toProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (isKubeError(error)) {
    const isForbidden = error.kind === 'forbidden';
    const refusal = isForbidden || error.kind === 'unavailable' ? refusalFrom(error, 'Workbench') : undefined;
    // Not the client's fault, and whom the controller runs as is not the client's to know.
    if (refusal?.reason === 'PermissionDenied')
      return notInstalled('it lacks a right, so its Roles must be applied again.');
    if (refusal && isForbidden) return new Problem(403, refusal.reason, refusal.message);
    if (refusal) return new Problem(503, refusal.reason, refusal.message, 2);
    const known = KUBE[error.kind]?.(error.message, error.retryAfterMs);
    if (known) return known;
    return new Problem(
      503,
      'ClusterUnavailable',
      'The cluster cannot be reached just now; try again in a moment.',
      seconds(error.retryAfterMs, 2),
    );
  }
  if (error instanceof URIError) return invalid('The path is not well encoded.');
  const { type, status } = error as { type?: string; status?: number };
  if (type !== undefined && BODY[type]) return BODY[type];
  // Whatever else express or its parsers hold against a request: a broken gzip, say.
  return status !== undefined && status >= 400 && status < 500 ? invalid('The request cannot be read.') : undefined;
}
