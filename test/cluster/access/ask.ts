import { request } from 'node:https';

export interface Access {
  server: string;
  ca?: string;
  /** Takes any certificate. */
  insecure?: boolean;
  cert?: string;
  key?: string;
}

export interface Answer {
  code: number;
  body: string;
}

/** One plain request to the API server or another component: starting kubectl for each would cost more than the start. */
export function ask(access: Access, path: string, post?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { server, insecure = false, ...tls } = access;
    const options = {
      ...tls,
      rejectUnauthorized: !insecure,
      method: post === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json' },
      timeout: 10_000,
      agent: false as const,
    };
    const call = request(new URL(path, server), options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error(`no answer from ${server}${path} within 10 s`)));
    call.on('error', reject);
    call.end(post === undefined ? undefined : JSON.stringify(post));
  });
}

/** Creates an object; one that is there already is fine. */
export async function create(access: Access, path: string, object: unknown): Promise<void> {
  const { code, body } = await ask(access, path, object);
  if (code !== 201 && code !== 409) throw new Error(`POST ${path} was answered with ${code}: ${body}`);
}
