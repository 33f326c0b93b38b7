/**
 * What an answer of the API server to a write of ours means for a person. Quota, Pod Security and webhooks all answer 403
 * Forbidden with no machine-readable cause, so this one table reads their message; an unknown text is still shown whole.
 */
import { isFailedTest, isKubeError } from './errors.ts';
import type { KubeError } from './errors.ts';

export interface Refusal {
  reason: string;
  message: string;
}

const BY_TEXT: readonly [RegExp, string, string][] = [
  [/exceeded quota/, 'QuotaExceeded', 'The namespace has no quota left for the {kind}'],
  [/violates PodSecurity/, 'PodSecurityViolation', 'The namespace does not admit the {kind}'],
  [
    /admission webhook|ValidatingAdmissionPolicy|failed calling webhook/,
    'AdmissionRefused',
    'A policy of the cluster refuses the {kind}',
  ],
  [/User ".*" cannot/, 'PermissionDenied', 'The controller lacks a right on the {kind}'],
  [
    /(maximum|minimum) .*(usage|per)|limit to request ratio/,
    'LimitRangeExceeded',
    'The namespace limits the size of the {kind}',
  ],
];

/** A webhook that is down and an object that is too large are answered 500, and no patience mends them. */
const HOPELESS = /failed calling webhook|request is too large/;

function isAnswerToUs(error: unknown): error is KubeError {
  if (isKubeError(error, 'unavailable')) return error.code === 500 && HOPELESS.test(error.message);
  return isKubeError(error, 'forbidden', 'invalid', 'badRequest', 'notFound');
}

/** A refusal needs a person and becomes a status; anything else is retried in silence (undefined). */
export function refusalFrom(error: unknown, kind: string): Refusal | undefined {
  if (!isAnswerToUs(error)) return undefined;
  // Somebody was quicker, and the watch will say who.
  if (isFailedTest(error)) return undefined;
  if (error.hasCause('NamespaceTerminating')) {
    return { reason: 'NamespaceTerminating', message: 'The namespace of the workbenches is being deleted.' };
  }
  if (error.kind === 'notFound') {
    if (error.status.details?.kind !== 'namespaces') return undefined; // The object itself is gone; look again.
    return { reason: 'NamespaceMissing', message: 'The namespace of the workbenches does not exist.' };
  }
  const [, reason, text] = BY_TEXT.find(([pattern]) => pattern.test(error.message)) ?? [
    undefined,
    'Refused',
    'The API server refuses the {kind}',
  ];
  return { reason, message: `${text.replace('{kind}', kind)}: ${tail(error)}.` };
}

/** The API server begins with the object's name, which the reader knows. */
function tail(error: KubeError): string {
  const text = error.message.replace(/^\S+( "[^"]*")? is (forbidden|invalid): /, '').replace(/\.$/, '');
  return text.slice(0, 500).toWellFormed();
}
