import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The last lines of a log, indented for an error message; only the file's last 16 kB are read. */
export function lastLines(path: string, count: number): string {
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    const buffer = Buffer.alloc(Math.min(size, 16_384));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    if (size === 0) return '  (it is empty)';
    const lines = buffer.toString('utf8').trimEnd().split('\n').slice(-count);
    return lines.map((line) => `  ${line.slice(0, 400)}`).join('\n');
  } finally {
    closeSync(file);
  }
}
