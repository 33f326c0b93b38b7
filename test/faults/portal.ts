/** A REST client with the manners of a portal: whatever fails is tried again, and a create that may have been done is looked for first. */
import { client } from '../client.ts';
import type { Answer } from '../client.ts';
import { eventually } from '../eventually.ts';

export interface Portal {
  /** All resolve with the id when the call was answered with success. */
  create: (className?: string) => Promise<string>;
  start: (id: string) => Promise<string>;
  stop: (id: string) => Promise<string>;
  delete: (id: string) => Promise<string>;
  /** Asks for other sizes; they take effect at the next start. */
  resize: (id: string) => Promise<string>;
  /** Polls until it is so. */
  until: (id: string, what: 'running' | 'stopped' | 'gone') => Promise<void>;
}

/** Of somebody whose machine may be slow; what takes too long is judged elsewhere. */
const PATIENCE_MS = 120_000;

/** @param ready resolves when a controller that is being restarted has started, or could not */
export function portal(rest: string, user: string, ready: () => Promise<unknown>): Portal {
  const { call } = client(rest, user);
  /** No connection, and no answer from a process that was killed meanwhile, are undefined. */
  async function attempt(method: string, path = '', body?: unknown): Promise<Answer | undefined> {
    await ready();
    return call(method, path, body).catch(() => undefined);
  }
  const isFinal = (answer: Answer | undefined) =>
    answer !== undefined && answer.status < 500 && answer.status !== 409 && answer.status !== 429;
  const insist = (method: string, path = '', body?: unknown) =>
    eventually('answered', () => attempt(method, path, body), isFinal, PATIENCE_MS);

  async function change(method: string, id: string, action = '', body?: unknown): Promise<string> {
    const answer = await insist(method, `/${id}${action}`, body);
    // Gone is what a repeated delete is to find.
    if (!answer!.body.success && !(method === 'DELETE' && answer!.status === 404))
      throw new Error(`${method} ${action} was answered ${answer!.status}: ${JSON.stringify(answer!.body)}`);
    return id;
  }

  return {
    start: (id) => change('POST', id, '/start'),
    stop: (id) => change('POST', id, '/stop'),
    delete: (id) => change('DELETE', id),
    resize: (id) => change('PATCH', id, '', { requested_cpu: '2' }),
    async create(className) {
      const id = await eventually(
        'created',
        async () => {
          const answer = await attempt('POST', '', className && { class: className });
          if (answer?.body.item) return answer.body.item.workbench_id;
          return (await insist('GET'))!.body.items?.[0]?.workbench_id;
        },
        (created) => created !== undefined,
        PATIENCE_MS,
      );
      return id!;
    },
    async until(id, what) {
      const isSo = (answer: Answer | undefined) =>
        what === 'gone' ? answer?.status === 404 : answer?.body.item?.status === what;
      await eventually(what, () => attempt('GET', `/${id}`), isSo, PATIENCE_MS);
    },
  };
}
