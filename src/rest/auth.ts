/** Who asks: whoever an old client says, until something is configured that proves it. Nothing is stored. */
import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from './problem.ts';
import type { Caller, TokenVerifier } from './tokens.ts';
import { userFrom } from './user.ts';

export interface Asked {
  headers: Pick<IncomingHttpHeaders, 'authorization'>;
  query: Record<string, unknown>;
}

/** How an installation knows who asks. */
export interface Identity {
  /**
   * @returns the user in whose name the request is done, and whether an administrator does it: nobody is one without an
   * identity provider. @throws Problem 400, 401, 403, 503
   */
  callerOf(asked: Asked): Promise<Caller>;
  /** Whether a request must bear a token, and whether it must name a user: what clients are told of it. */
  needs: { token: boolean; userId: boolean };
}

/** Old clients: `user_id` is believed. */
export const trusting: Identity = {
  callerOf: async ({ query }) => Promise.resolve({ user: userFrom(query), isAdmin: false }),
  needs: { token: false, userId: true },
};

/** A portal that has the key speaks for all its users. */
export function byKey(key: string): Identity {
  return {
    callerOf: async ({ headers, query }) => {
      if (!isSame(bearer(headers), key)) throw unauthorized('The key is not the one of this installation.', true);
      return Promise.resolve({ user: userFrom(query), isAdmin: false });
    },
    needs: { token: true, userId: true },
  };
}

/** The token says who; another `user_id` beside it only for administrators. */
export function byToken(verify: TokenVerifier): Identity {
  return {
    async callerOf({ headers, query }) {
      const caller = await verify(bearer(headers));
      const { user, isAdmin } = caller;
      if (query.user_id === undefined) return caller;
      const named = userFrom(query);
      if (named === user || isAdmin) return { user: named, isAdmin };
      throw new Problem(403, 'OtherUser', 'The token is not of the user in user_id; leave that out.');
    },
    needs: { token: true, userId: false },
  };
}

function bearer({ authorization }: Asked['headers']): string {
  const [, token] = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? '') ?? [];
  if (token !== undefined) return token;
  throw unauthorized('Send a token: Authorization: Bearer ….', false);
}

export function unauthorized(message: string, isInvalid: boolean): Problem {
  return new Problem(401, isInvalid ? 'InvalidToken' : 'Unauthorized', message);
}

/** In a time that says nothing of either. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => hash('sha256', text, 'buffer'));
  return timingSafeEqual(a!, b!);
}
