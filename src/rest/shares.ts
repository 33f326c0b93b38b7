/** With whom a workbench is shared: its owner's to see and to say. */
import * as z from 'zod';
import { MOST_SHARES, shareSchema } from '../workbench/resource.ts';
import type { Workbench } from '../workbench/resource.ts';
import { shareSteps } from '../workbench/shares.ts';
import type { Access } from './access.ts';
import { Problem, invalid } from './problem.ts';
import type { ShareItem } from './shapes.ts';

const { user, permission } = shareSchema.shape;

export const setShareSchema = z.strictObject({
  user_id: user,
  permission: permission.nullable().describe('null: it is not shared with this user any more.'),
});

export type SetShareBody = z.infer<typeof setShareSchema>;

export class Shares {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** @throws Problem 403, 404 */
  async list(owner: string, id: string): Promise<ShareItem[]> {
    return itemsOf(await this.#access.seen(owner, id, 'owner'));
  }

  /** @returns all there are by then. @throws Problem 400, 403, 404, 409 */
  async set(owner: string, id: string, body: SetShareBody): Promise<ShareItem[]> {
    const edited = await this.#access.edit(owner, id, 'owner', (seen) => {
      const { shares = [] } = seen.spec;
      if (body.user_id === owner && body.permission !== null)
        throw invalid('user_id: it is the owner, who may do everything anyway.');
      const isNew = body.permission !== null && !shares.some((share) => share.user === body.user_id);
      if (isNew && shares.length >= MOST_SHARES) throw tooMany();
      return shareSteps(seen, body.user_id, body.permission);
    });
    return itemsOf(edited);
  }
}

function itemsOf({ spec }: Workbench): ShareItem[] {
  return (spec.shares ?? []).map((share) => ({ user_id: share.user, permission: share.permission }));
}

function tooMany(): Problem {
  const message = `A workbench can be shared with ${MOST_SHARES} users at most; take it back from one of them first.`;
  return new Problem(409, 'TooManyShares', message);
}
