/** Since when writes for a workbench have failed without a break. Times are on any steady clock, in ms. */
export class Trouble {
  readonly #since = new Map<string, number>();

  /** How long by now; `began` is when the failed attempt did. */
  lastsMs(key: string, began: number, now: number): number {
    const since = this.#since.get(key) ?? began;
    this.#since.set(key, since);
    return now - since;
  }

  forgetAll(): void {
    this.#since.clear();
  }

  end(key: string): void {
    this.#since.delete(key);
  }
}
