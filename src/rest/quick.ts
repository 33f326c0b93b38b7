/**
 * Polls, which are nearly all of the traffic, without the way through a router: a GET of one workbench or of all, from the
 * store, with nothing else asked for. Whatever is not plainly that goes the way of all requests, and is answered the same.
 */
import type { RequestListener } from 'node:http';
import type { Identity } from './auth.ts';
import { textOf } from './items.ts';
import { requestIdOf } from './request-log.ts';
import type { Workbenches } from './workbenches.ts';

export interface QuickOptions {
  workbenches: Pick<Workbenches, 'look' | 'list'>;
  identity: Identity;
  checkRate: (user: string) => Promise<void>;
  urlPrefix: string;
  isSynced: () => boolean;
}

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };

/** Only characters that mean themselves. */
const PLAIN = '/workbenches(?:/([a-z0-9-]{1,40}))?(?:\\?user_id=([\\w.-]{1,253}))?';

export function quick(options: QuickOptions, others: RequestListener): RequestListener {
  const { workbenches, identity, checkRate, urlPrefix, isSynced } = options;
  const plain = new RegExp(`^${urlPrefix.replaceAll('.', '\\.')}${PLAIN}$`);

  /** undefined: not here. */
  const bodyOf = async (user: string, id: string | undefined): Promise<string | undefined> => {
    if (id === undefined) return `{"success":true,"items":[${(await workbenches.list(user)).map(textOf).join()}]}`;
    const seen = workbenches.look(user, id);
    // What is shared may be so no more; that is looked into on the long way.
    return seen?.item.user_id === user ? `{"success":true,"item":${textOf(seen.item)}}` : undefined;
  };

  return (request, response) => {
    const { method, headers, url = '' } = request;
    const found = method === 'GET' && headers.origin === undefined && isSynced() ? plain.exec(url) : null;
    if (!found) return others(request, response);
    const [, id, userId] = found;
    const query = userId === undefined ? {} : { user_id: userId };
    const answer = async (): Promise<void> => {
      const { user } = await identity.callerOf({ headers, query });
      const body = await bodyOf(user, id);
      if (body === undefined) return others(request, response);
      await checkRate(user);
      const length = Buffer.byteLength(body);
      response
        .writeHead(200, { 'X-Request-Id': requestIdOf(headers), ...JSON_TYPE, 'Content-Length': length })
        .end(body);
    };
    answer().catch(() => others(request, response));
  };
}
