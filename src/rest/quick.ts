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
  workbenches: Pick<Workbenches, 'look' | 'list' | 'revision'>;
  identity: Identity;
  checkRate: (user: string) => Promise<void>;
  urlPrefix: string;
  isSynced: () => boolean;
}

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };

/** How many users' lists are kept: one may be long. */
const KEPT = 200;

/** Only characters that mean themselves. */
const PLAIN = '/workbenches(?:/([a-z0-9-]{1,40}))?(?:\\?user_id=([\\w.-]{1,253}))?';

export function quick(options: QuickOptions, others: RequestListener): RequestListener {
  const { workbenches, identity, checkRate, urlPrefix, isSynced } = options;
  const plain = new RegExp(`^${urlPrefix.replaceAll('.', '\\.')}${PLAIN}$`);

  /** As they were written last; good for as long as nothing at all has changed. */
  const lists = new Map<string, Buffer>();
  let writtenAt: number | undefined;

  async function listOf(user: string): Promise<Buffer> {
    const { revision } = workbenches;
    if (writtenAt !== revision || lists.size >= KEPT) lists.clear();
    writtenAt = revision;
    const known = lists.get(user);
    if (known) return known;
    const list = Buffer.from(`{"success":true,"items":[${(await workbenches.list(user)).map(textOf).join()}]}`);
    if (revision !== undefined && revision === workbenches.revision && revision === writtenAt) lists.set(user, list);
    return list;
  }

  /** undefined: it is not in the store, or not surely this user's to see. */
  function itemOf(user: string, id: string): string | undefined {
    const seen = workbenches.look(user, id);
    return seen?.isSure ? `{"success":true,"item":${textOf(seen.item)}}` : undefined;
  }

  return (request, response) => {
    const { method, headers, url = '' } = request;
    const found = method === 'GET' && headers.origin === undefined && isSynced() ? plain.exec(url) : null;
    if (!found) return others(request, response);
    const [, id, userId] = found;
    const query = userId === undefined ? {} : { user_id: userId };
    const answer = async (): Promise<void> => {
      const { user } = await identity.callerOf({ headers, query });
      const body = id === undefined ? await listOf(user) : itemOf(user, id);
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
