/** Keys of one generation. */
const GENERATION = 2_048;

/** Recognises what was seen before: the last 2,048 to 4,096 keys. */
export class Repetitions {
  #young = new Set<string>();
  #old: ReadonlySet<string> = new Set();

  /** Whether the key was seen before; from now on it was. */
  seen(key: string): boolean {
    if (this.#young.has(key) || this.#old.has(key)) return true;
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(key);
    return false;
  }
}
