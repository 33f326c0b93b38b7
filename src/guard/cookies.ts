/** The guard's own cookies among those that a browser sends. */

/** Browsers take such a name only from the host itself, over TLS, for all its paths: no other host can set or shadow it. */
const PREFIX = '__Host-workbench-';
export const SESSION = `${PREFIX}session`;
/** One for each login under way: several tabs may open at once. */
export const LOGIN = `${PREFIX}login-`;

type Header = string | undefined;

function pairs(header: Header): { name: string; value: string; text: string }[] {
  return (header ?? '').split(';').flatMap((part) => {
    // Not all that Unicode calls a space: a browser's cookie may begin with such a one.
    const text = part.replaceAll(/^[ \t]+|[ \t]+$/g, '');
    const at = text.indexOf('=');
    return text === '' ? [] : [{ name: text.slice(0, Math.max(at, 0)), value: text.slice(at + 1), text }];
  });
}

/** @returns undefined also when it is there twice: then one of them is somebody else's doing */
export function cookieOf(header: Header, name: string): string | undefined {
  const [found, ...more] = pairs(header).filter((pair) => pair.name === name);
  return more.length === 0 ? found?.value : undefined;
}

export function namesOf(header: Header, prefix: string): string[] {
  return [...new Set(pairs(header).flatMap(({ name }) => (name.startsWith(prefix) ? [name] : [])))];
}

/** What the workbench may see of them. @returns undefined when nothing is left */
export function withoutOurs(header: Header): string | undefined {
  const others = pairs(header).filter(({ name }) => !name.toLowerCase().startsWith(PREFIX.toLowerCase()));
  return others.length > 0 ? others.map(({ text }) => text).join('; ') : undefined;
}

export function setCookie(name: string, value: string, seconds: number): string {
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${seconds}`;
}

export const clearCookie = (name: string) => setCookie(name, '', 0);
