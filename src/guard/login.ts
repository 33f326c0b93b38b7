/** Logging in at the provider: authorization code with PKCE, done by `openid-client`. Nothing is kept here between the two halves. */
import {
  ClientSecretBasic,
  None,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { Configuration } from 'openid-client';
import { isUser } from '../workbench/resource.ts';

export interface LoginOptions {
  issuer: string;
  clientId: string;
  /** Unset: a public client. */
  clientSecret?: string;
  /** The claim that names the user, as in the tokens of the API. */
  userClaim: string;
  /** Where the provider sends the browser back to, to the letter. */
  redirectUri: string;
}

/** What must be known again when the browser comes back. */
export interface Begun {
  state: string;
  nonce: string;
  verifier: string;
}

export interface Login {
  /** @throws when the provider cannot be asked */
  begin(): Promise<Begun & { location: string }>;
  /** @param query of the address that the browser came back to. @returns the user. @throws LoginError */
  finish(query: string, begun: Begun): Promise<string>;
}

/** Of the provider's answer, or of what the browser brought back. */
export class LoginError extends Error {
  override name = 'LoginError';
}

const PATIENCE_S = 5;

export function createLogin({ issuer, clientId, clientSecret, userClaim, redirectUri }: LoginOptions): Login {
  let found: Promise<Configuration> | undefined;

  /** Asked once; a provider that is away then is asked again at the next login. */
  function configuration(): Promise<Configuration> {
    const authentication = clientSecret === undefined ? None() : ClientSecretBasic(clientSecret);
    const execute = [enableNonRepudiationChecks, ...(issuer.startsWith('http:') ? [allowInsecureRequests] : [])];
    found ??= discovery(new URL(issuer), clientId, undefined, authentication, { timeout: PATIENCE_S, execute }).catch(
      (error: unknown) => {
        found = undefined;
        throw error;
      },
    );
    return found;
  }

  return {
    async begin() {
      const begun = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
      const url = buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: userClaim === 'email' ? 'openid email' : 'openid profile',
        state: begun.state,
        nonce: begun.nonce,
        code_challenge: await calculatePKCECodeChallenge(begun.verifier),
        code_challenge_method: 'S256',
      });
      return { ...begun, location: url.href };
    },

    async finish(query, { state, nonce, verifier }) {
      const config = await configuration();
      const url = new URL(redirectUri);
      url.search = query;
      const tokens = await authorizationCodeGrant(config, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      }).catch((cause: unknown) => {
        throw new LoginError('The identity provider did not confirm the login.', { cause });
      });
      const claims = tokens.claims();
      // Whoever may write any address into their account would else be anybody.
      if (userClaim === 'email' && claims?.email_verified !== true)
        throw new LoginError('The identity provider has not verified your e-mail address.');
      const user = claims?.[userClaim];
      if (isUser(user)) return user;
      throw new LoginError(`The identity provider names no user: the claim "${userClaim}" of its ID token is missing.`);
    },
  };
}
