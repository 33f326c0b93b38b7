/** How the text of a variable is read: each with the sentence that says what is wrong with it. */
import * as z from 'zod';
import { isPositiveQuantity } from './workbench/quantity.ts';

export const port = (fallback: number) => z.coerce.number().int().min(0).max(65535).default(fallback);
export const seconds = (fallback: number) => z.coerce.number().min(0).max(86_400).default(fallback);
export const interval = (fallback: number) => z.coerce.number().min(0.1).max(86_400).default(fallback);
export const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((value) => value === 'true');
export const count = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback);
export const most = z.coerce.number().int().min(0).max(100_000);
export const id = (fallback: number) => count(fallback, 2 ** 31 - 1);
export const quantity = z
  .string()
  .refine(isPositiveQuantity, 'must be a positive Kubernetes quantity such as 2, 500m or 4Gi');
export const dnsLabel = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a DNS label');

const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
export const objectName = z.string().regex(SUBDOMAIN, 'must be the name of a Kubernetes object: a–z, 0–9, "-" and "."');

/** What Kubernetes takes as the key of an annotation, and as the name of a resource. */
export function isQualifiedName(text: string): boolean {
  const [name, prefix, ...more] = text.split('/').toReversed();
  const isName = /^(?=.{1,63}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name!);
  return isName && more.length === 0 && (prefix === undefined || SUBDOMAIN.test(prefix));
}

export const annotations = z.string().transform((text, context) => {
  try {
    const value: unknown = JSON.parse(text);
    return z.record(z.string().refine(isQualifiedName), z.string()).parse(value);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be a JSON object of annotations, such as {"a.example/b":"c"}' });
    return z.NEVER;
  }
});

export const registries = z.string().transform((text, context) => {
  try {
    return z.record(z.string().min(1), z.url({ protocol: /^https?$/ })).parse(JSON.parse(text));
  } catch {
    context.addIssue({
      code: 'custom',
      message: 'must be a JSON object of URLs, such as {"registry.local:5000":"http://10.0.0.9:5000"}',
    });
    return z.NEVER;
  }
});

/** A JSON list of words, or words with spaces between them. */
export const command = z.string().transform((text, context) => {
  if (!text.trim().startsWith('[')) return text.trim().split(/\s+/);
  try {
    return z.array(z.string().min(1)).min(1).parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: 'custom', message: 'must be words, or a JSON list of words' });
    return z.NEVER;
  }
});

export const baseUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHost = url !== undefined && (url.hostname.startsWith('[') || SUBDOMAIN.test(url.hostname));
  if (!isHost || !/^https?:$/.test(url.protocol) || /[?#@]/.test(text)) {
    context.addIssue({ code: 'custom', message: 'must be an http or https URL such as https://cloud.example' });
    return z.NEVER;
  }
  return url.href.replace(/\/+$/, '');
});

/** As a browser says them: no path, no pattern, and no port that the scheme has by itself. */
export const origins = z.string().transform((text, context) => {
  const list = text.split(/[\s,]+/).filter((origin) => origin !== '');
  const wrong = list.find(
    (origin) => !/^https?:[^*]+$/.test(origin) || !URL.canParse(origin) || new URL(origin).origin !== origin,
  );
  if (list.length > 0 && wrong === undefined) return list;
  const message = 'must be origins such as https://portal.example, each without a path, and never *';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

export function isHostAndPort(text: string): boolean {
  const [, port] = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text) ?? [];
  return port !== undefined && Number(port) <= 65_535;
}

export function isDomain(text: string): boolean {
  const [, domain, port] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  return domain !== undefined && SUBDOMAIN.test(domain) && Number(port ?? 0) <= 65_535;
}
