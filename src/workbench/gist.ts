/** From an error's text to what a person can use of it: bounded, equal at every retry, and without secrets. */

/** Go names the port that the kernel picked for a connection; a text that differs at every try would be written at every try. */
export function stable(text: string): string {
  return text.replace(/(?:\d{1,3}(?:\.\d{1,3}){3}|\[[\da-f:]+\]):\d+->/g, '');
}

const LONGEST_GIST = 300;
/** What is looked at; a program may write lines of any length, and patterns cost time. */
const LONGEST_LINE = 1_000;

/** The part of a runtime's error that a person can use, as one bounded line that is equal at every retry. */
export function gist(text: string | undefined): string {
  const line = (text ?? '')
    .split('\n')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .at(-1);
  const plain = stable((line ?? '').slice(0, LONGEST_LINE)).replace(/rpc error: code = \w+ desc = /g, '');
  // A cut through a pair of surrogates would never equal what the API server stores.
  return shorten(redact(plain)).toWellFormed();
}

/** Causes stand at the end of an error, and what it was about at the beginning. */
function shorten(text: string): string {
  if (text.length <= LONGEST_GIST) return text;
  const half = (LONGEST_GIST - 3) / 2;
  return `${text.slice(0, Math.floor(half))} … ${text.slice(-Math.floor(half))}`;
}

const SECRET_NAME =
  '[\\w-]{0,64}(?:token|pass(?:word|wd|phrase)?|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?[\\w-]{0,64}';
const SECRET_VALUE = '(?:\\\\?"[^"]*"?|\'[^\']*\'?|[^\\s,;&]+)';
const SECRETS: readonly [RegExp, string][] = [
  // The rest of a header's line, whatever its scheme.
  [/\b((?:proxy-)?authorization|(?:set-)?cookie)(\\?["']?\s{0,4}[=:]).*/gi, '$1$2 [redacted]'],
  [new RegExp(`(${SECRET_NAME}\\\\?["']?\\s{0,4}[=:]\\s{0,4})${SECRET_VALUE}`, 'gi'), '$1[redacted]'],
  [new RegExp(`(--${SECRET_NAME}\\s{1,4})${SECRET_VALUE}`, 'gi'), '$1[redacted]'],
  [/\b(bearer|basic)\s{1,4}(?!auth\b)\S+/gi, '$1 [redacted]'],
  [/\b[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}\b/g, '[redacted]'],
  [/:\/\/\S{1,256}@/g, '://[redacted]@'],
];

/** A program's last words may hold a token (JupyterLab prints its own in a URL); a status is read by many. */
function redact(line: string): string {
  return SECRETS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line);
}
