/** Who may come in, as the environment says: by the API, and by a browser at a workbench's own URL. */
import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import { readGuardKeys } from './config.ts';
import type { Environment } from './environment.ts';
import { installGuard } from './guard/install.ts';
import type { Cluster } from './kube/cluster.ts';
import type { Reflectors } from './kube/reflect-all.ts';
import { createRightOf } from './kube/right.ts';
import type { Store } from './kube/store.ts';
import { byKey, byToken, trusting } from './rest/auth.ts';
import type { Identity } from './rest/auth.ts';
import { createPages, openPages } from './rest/page.ts';
import { provider, sharedSecret } from './rest/tokens.ts';
import type { TokenVerifier } from './rest/tokens.ts';
import type { Settings } from './workbench/settings.ts';

export interface EntranceOptions {
  env: Environment;
  settings: Settings;
  store: Store;
  cluster: Cluster;
  reflectors: Pick<Reflectors, 'isCurrent'>;
  log: Logger;
}

export interface Entrance {
  /** Of the API. */
  identity: Identity;
  /** What answers at the page port. */
  pages: RequestListener;
  /** Lets the endpoint check in, where there is a guard. */
  probe?: (id: string) => Promise<string>;
}

/** @throws ConfigError */
export function entranceFrom({ env, settings, store, cluster, reflectors, log }: EntranceOptions): Entrance {
  const verify = tokensFrom(env);
  const identity = identityFrom(env, verify);
  if (env.OIDC_CLIENT_ID === undefined) {
    if (env.OIDC_ISSUER !== undefined)
      log.warn('no OIDC_CLIENT_ID: the URLs of workbenches are open to everybody who knows them');
    return { identity, pages: openPages(store, settings) };
  }
  const guard = installGuard({
    settings,
    keys: readGuardKeys(env.WB_GUARD_KEY_FILE!),
    audience: env.OIDC_AUDIENCE!,
    provider: {
      issuer: env.OIDC_ISSUER!,
      clientId: env.OIDC_CLIENT_ID,
      userClaim: env.OIDC_USER_CLAIM,
      ...(env.OIDC_CLIENT_SECRET === undefined ? {} : { clientSecret: env.OIDC_CLIENT_SECRET }),
    },
    pages: createPages(store),
    allowsSameOriginSharing: env.WB_ALLOW_SAME_ORIGIN_SHARING,
    sessionSeconds: Math.round(env.WB_SESSION_HOURS * 3600),
    verify: verify!,
    rightOf: createRightOf({ store, cluster, isCurrent: () => reflectors.isCurrent('Workbench') }),
    onProblem: (error) => log.warn({ err: error }, 'a login failed'),
  });
  return { identity, pages: guard.listener, probe: guard.probe };
}

/** @returns undefined: no token says who asks */
function tokensFrom(env: Environment): TokenVerifier | undefined {
  const userClaim = env.OIDC_USER_CLAIM;
  if (env.RESTAPI_AUTH_JWT_KEY !== undefined) return sharedSecret(env.RESTAPI_AUTH_JWT_KEY, userClaim);
  if (env.OIDC_ISSUER === undefined) return undefined;
  return provider({
    issuer: env.OIDC_ISSUER,
    audience: env.OIDC_AUDIENCE!,
    userClaim,
    ...(env.OIDC_JWKS_URL === undefined ? {} : { jwksUrl: env.OIDC_JWKS_URL }),
    ...(env.OIDC_ADMIN_ROLE === undefined ? {} : { adminRole: env.OIDC_ADMIN_ROLE }),
  });
}

function identityFrom(env: Environment, verify: TokenVerifier | undefined): Identity {
  if (env.RESTAPI_AUTH_STATIC_KEY !== undefined) return byKey(env.RESTAPI_AUTH_STATIC_KEY);
  return verify ? byToken(verify) : trusting;
}
