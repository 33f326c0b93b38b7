import { randomBytes } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** `wb-` and 20 random characters (100 bits): an id can neither be guessed nor met twice. */
export function newName(): string {
  return nameFrom(randomBytes(20));
}

/** @param bytes 20 at least */
export function nameFrom(bytes: Uint8Array): string {
  return `wb-${[...bytes.subarray(0, 20)].map((byte) => ALPHABET[byte % 32]).join('')}`;
}
