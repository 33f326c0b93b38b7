/** The guard from its parts: what listens at the page port, and the token with which the endpoint check passes it. */
import type { RequestListener } from 'node:http';
import { basePath } from '../workbench/identity.ts';
import type { Settings } from '../workbench/settings.ts';
import { createGuard } from './guard.ts';
import { createJudge } from './judge.ts';
import type { JudgeOptions } from './judge.ts';
import { createLogin } from './login.ts';
import type { LoginOptions } from './login.ts';
import { createOwnPages } from './own-pages.ts';
import type { Pages } from './reply.ts';
import { createSeal } from './seal.ts';

export interface GuardInstallation extends Pick<JudgeOptions, 'verify' | 'rightOf' | 'allowsSameOriginSharing'> {
  settings: Settings;
  keys: readonly string[];
  audience: string;
  provider: Omit<LoginOptions, 'redirectUri'>;
  pages: Pages;
  sessionSeconds: number;
  onProblem: (error: unknown) => void;
}

export interface Guard {
  listener: RequestListener;
  /** A token that opens this workbench's URL for a moment. */
  probe: (id: string) => Promise<string>;
}

/** As long as an endpoint check may take, and its answer. */
const PROBE_S = 30;

export function installGuard(options: GuardInstallation): Guard {
  const { settings, keys, provider, pages, sessionSeconds, audience, onProblem, ...decides } = options;
  const prefix = basePath('', settings);
  // Another provider, or another claim of its tokens, is another world of users.
  const seal = createSeal(keys, JSON.stringify([provider.issuer, provider.userClaim]));
  const login = createLogin({ ...provider, redirectUri: `${new URL(settings.baseUrl!).origin}${prefix}-/callback` });
  const judge = createJudge({ seal, settings, prefix, issuer: provider.issuer, audience, ...decides });
  const ownPages = createOwnPages({ login, seal, pages, settings, sessionSeconds });
  return {
    listener: createGuard({ judge, ownPages, seal, pages, settings, onProblem }),
    probe: (id) => seal.close('probe', { id }, PROBE_S),
  };
}
