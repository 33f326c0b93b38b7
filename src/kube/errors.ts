/** The one table from an HTTP code or a network fault to what it means and what to do next. Never matches on message text. */
import { stable } from '../workbench/gist.ts';

export type ErrorKind =
  | 'badRequest'
  | 'unauthorized'
  | 'forbidden'
  | 'notFound'
  | 'alreadyExists'
  | 'conflict'
  | 'gone'
  | 'invalid'
  | 'throttled'
  | 'unavailable'
  | 'unreachable';

/** The Status object that the API server sends with every refusal. */
export interface KubeStatus {
  reason?: string;
  message?: string;
  code?: number;
  details?: {
    name?: string;
    kind?: string;
    retryAfterSeconds?: number;
    causes?: { reason?: string; message?: string; field?: string }[];
  };
}

export class KubeError extends Error {
  override name = 'KubeError';
  readonly kind: ErrorKind;
  /** Whether the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  readonly code: number;
  readonly status: KubeStatus;
  readonly retryAfterMs?: number;

  constructor(kind: ErrorKind, code: number, status: KubeStatus, retryAfterMs?: number, options?: ErrorOptions) {
    super(stable(status.message ?? `the API server answered ${code}`), options);
    this.kind = kind;
    this.retryable = RETRYABLE.has(kind);
    this.code = code;
    this.status = status;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }

  /** A machine-readable cause that the API server names, such as NamespaceTerminating. */
  hasCause(reason: string): boolean {
    return this.status.details?.causes?.some((cause) => cause.reason === reason) ?? false;
  }
}

/** 401 counts as retryable since tokens rotate under a running process; 409 since it asks for a fresh look. */
const RETRYABLE = new Set<ErrorKind>(['unauthorized', 'conflict', 'gone', 'throttled', 'unavailable', 'unreachable']);

const BY_CODE: Record<number, ErrorKind> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  409: 'conflict',
  410: 'gone',
  413: 'badRequest',
  415: 'badRequest',
  422: 'invalid',
  429: 'throttled',
};

/** Whoever asks for more is looked at again anyway. */
const LONGEST_RETRY_AFTER_S = 300;

export function errorFromAnswer(code: number, body: unknown, retryAfter?: string): KubeError {
  const status: KubeStatus = typeof body === 'object' && body !== null ? body : { message: text(body, code) };
  const kind =
    status.reason === 'AlreadyExists'
      ? 'alreadyExists'
      : (BY_CODE[code] ?? (code >= 500 ? 'unavailable' : 'badRequest'));
  const seconds = Number(retryAfter ?? status.details?.retryAfterSeconds);
  return new KubeError(
    kind,
    code,
    status,
    Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, LONGEST_RETRY_AFTER_S) * 1000 : undefined,
  );
}

export function errorFromNetwork(cause: unknown): KubeError {
  const why = cause instanceof Error ? cause.message || cause.name : String(cause);
  const isLate = cause instanceof Error && cause.name === 'TimeoutError';
  const message = isLate ? 'the API server did not answer in time' : `the API server could not be reached: ${why}`;
  return new KubeError('unreachable', 0, { message }, undefined, { cause });
}

export function isKubeError(error: unknown, ...kinds: ErrorKind[]): error is KubeError {
  return error instanceof KubeError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** A `test` in a JSON Patch of ours that did not hold. The API server says so in words only. */
export function isFailedTest(error: unknown): boolean {
  return isKubeError(error, 'invalid') && /rejected our request due to an error in our request/.test(error.message);
}

function text(body: unknown, code: number): string {
  return typeof body === 'string' && body.trim() !== '' ? body.trim().slice(0, 500) : `the API server answered ${code}`;
}
