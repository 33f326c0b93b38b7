/** The realm of realm.json, and its tokens as a test gets them: by password, without a login page. */
import { readFileSync } from 'node:fs';

interface Realm {
  realm: string;
  clients: { clientId: string; redirectUris?: string[] }[];
  users: { id: string; username: string; credentials: { value: string }[] }[];
}

const read = () => JSON.parse(readFileSync(new URL('realm.json', import.meta.url), 'utf8')) as Realm;

export const REALM = read().realm;

/** @param portals origins of the pages to which a login may lead back */
export function realmFor(portals: string[]): Realm {
  const realm = read();
  for (const client of realm.clients)
    if (client.redirectUris) client.redirectUris = portals.map((origin) => `${origin}/*`);
  return realm;
}

/** The subject of this user's tokens. */
export function subjectOf(username: string): string {
  return userOf(username).id;
}

export function passwordOf(username: string): string {
  return userOf(username).credentials[0]!.value;
}

function userOf(username: string): Realm['users'][number] {
  const { users } = read();
  const found = users.find((user) => user.username === username);
  if (!found)
    throw new Error(
      `Nobody is called "${username}" in realm.json; there are ${users.map((u) => u.username).join(', ')}.`,
    );
  return found;
}

export interface Login {
  client: string;
  username: string;
  password: string;
}

/** @param realm its URL. @throws Error with what Keycloak says, such as "invalid_grant: Account disabled" */
export async function logIn(realm: string, { client, ...person }: Login): Promise<{ access: string; id: string }> {
  const response = await fetch(`${realm}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', scope: 'openid', client_id: client, ...person }),
  });
  const said = (await response.json()) as Record<string, string>;
  if (!response.ok) throw new Error(`${said.error}: ${said.error_description}`);
  return { access: said.access_token!, id: said.id_token! };
}
