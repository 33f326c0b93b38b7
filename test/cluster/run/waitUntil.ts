const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * The blocking twin of `until`, for the cleaning that also runs in an exit handler, where nothing can be awaited. A minute,
 * since a busy disk may still be written to by what has been killed.
 */
export function waitUntil(what: string, done: () => boolean, seconds = 60): void {
  const deadline = Date.now() + seconds * 1000;
  while (!done()) {
    if (Date.now() > deadline) throw new Error(`Waited ${seconds} s in vain for ${what}.`);
    Atomics.wait(never, 0, 0, 20);
  }
}
