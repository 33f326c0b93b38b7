/** What an administrator of Keycloak does, through its admin API. */
import { logIn } from './realm.ts';

/** Made at the first start, for as long as its data lasts. */
export const ADMINISTRATOR = { username: 'administrator', password: 'the password of the administrator' };

const KEYS = 'org.keycloak.keys.KeyProvider';

interface KeyProvider {
  id: string;
  providerId: string;
  parentId: string;
  config: { priority?: [string] };
}

/** The new key is the one that signs, since its priority is the highest. */
export async function rotateKeys(url: string, realm: string): Promise<{ retire: () => Promise<void> }> {
  const providers = (await ask(url, 'GET', `/${realm}/components?type=${KEYS}`)) as KeyProvider[];
  const older = providers.filter(({ providerId }) => providerId === 'rsa-generated');
  const priority = 1 + Math.max(...older.map(({ config }) => Number(config.priority?.[0] ?? 0)));
  await ask(url, 'POST', `/${realm}/components`, {
    name: `signs from priority ${priority} on`,
    providerId: 'rsa-generated',
    providerType: KEYS,
    parentId: older[0]!.parentId,
    config: { priority: [String(priority)] },
  });
  return {
    async retire() {
      for (const { id } of older) await ask(url, 'DELETE', `/${realm}/components/${id}`);
    },
  };
}

export async function disable(url: string, realm: string, username: string): Promise<void> {
  const [user] = (await ask(url, 'GET', `/${realm}/users?exact=true&username=${username}`)) as { id: string }[];
  await ask(url, 'PUT', `/${realm}/users/${user!.id}`, { enabled: false });
}

async function ask(url: string, method: string, path: string, body?: object): Promise<unknown> {
  // Its tokens last a minute: a new one each time.
  const { access } = await logIn(`${url}/realms/master`, { client: 'admin-cli', ...ADMINISTRATOR });
  const response = await fetch(`${url}/admin/realms${path}`, {
    method,
    headers: { authorization: `Bearer ${access}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Keycloak answered ${method} ${path} with ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
