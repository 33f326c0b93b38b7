/**
 * Writes openapi.json. It tells of an installation that asks for tokens, where nobody has to name a user: its types fit every
 * other one, too.
 */
import { writeFileSync } from 'node:fs';
import { describeApi } from '../src/rest/openapi.ts';

export const document = `${JSON.stringify(describeApi('', { token: true, userId: false }), null, 2)}\n`;

if (import.meta.main) writeFileSync(new URL('openapi.json', import.meta.url), document);
