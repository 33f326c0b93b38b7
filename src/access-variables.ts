/** What the environment may say of who may come in: by the API, and by a browser at a workbench's own URL. */
import * as z from 'zod';
import { flag, isDomain } from './variables.ts';

export const accessVariables = {
  RESTAPI_AUTH_STATIC_KEY: z
    .string()
    .regex(/^[\w.~+/-]{16,}=*$/, 'must be at least 16 letters, digits and -._~+/')
    .optional()
    .describe(
      'Key that every REST call must bear (`Authorization: Bearer …`); whoever has it speaks for any `user_id`',
    ),
  RESTAPI_AUTH_JWT_KEY: z
    .string()
    .min(32, 'must be at least 32 characters')
    .optional()
    .describe(
      'Secret of the HS256 tokens that every REST call must bear; `exp` is required, and `OIDC_USER_CLAIM` is the user',
    ),
  OIDC_ISSUER: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('The one OpenID provider whose access tokens are taken, to the letter as it is in them'),
  OIDC_AUDIENCE: z.string().min(1).optional().describe('Audience that a token must be for; needed with `OIDC_ISSUER`'),
  OIDC_JWKS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Where the provider's keys are reached from inside; unset: where the provider says"),
  OIDC_USER_CLAIM: z.string().min(1).default('sub').describe('Claim of a token that names the user'),
  OIDC_ADMIN_ROLE: z
    .string()
    .min(1)
    .optional()
    .describe("Role of the audience's client whose bearers may name another `user_id`; unset: nobody"),
  OIDC_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Client of the provider by which browsers log in at workbenches: with it, every workbench opens for its owner only; needs `WB_GUARD_KEY_FILE`',
    ),
  OIDC_CLIENT_SECRET: z.string().min(1).optional().describe('Secret of that client; unset: a public client, with PKCE'),
  WB_GUARD_KEY_FILE: z
    .string()
    .optional()
    .describe(
      'File with the key of all that the guard gives out, of at least 32 characters: the same at every replica. More lines are former keys, still good',
    ),
  WB_SESSION_HOURS: z.coerce
    .number()
    .positive()
    .max(720)
    .default(8)
    .describe('Hours that a browser stays logged in at workbenches'),
  WB_WORKBENCH_DOMAIN: z
    .string()
    .refine(isDomain, 'must be a domain such as wb.cloud.example, with a port if it has one')
    .optional()
    .describe(
      'Gives each workbench an origin of its own, `<id>.<this domain>`; unset: all share the host of `BASE_URL`',
    ),
  WB_ALLOW_SAME_ORIGIN_SHARING: flag(false).describe(
    'Lets people open what is shared with them also where all workbenches share one host, and one could act in the others',
  ),
};
