import type { RuntimeParts } from "../runtime/runtime.ts";

/** Words of 32 bits that stand for a key. */
const WORDS = 4;
const EMPTY = -1;
const FIRST_CAPACITY = 1_024;

/**
 * Remembers keys in the order in which they came, 36 to 44 bytes each whatever their length: of a key only 128 bits are kept, salted by chance
 * so that nobody can prepare two that are taken for one. Each entry has a number, counted from 0, and a tag of 32 bits.
 */
export class IdTable {
  readonly #maxEntries: number;
  readonly #salt = new Uint32Array(WORDS);
  readonly #words = new Uint32Array(WORDS);
  #capacity: number;
  /** 128 bits a position; positions are used in turn. */
  #keys: Uint32Array;
  #times: Float64Array;
  #tags: Uint32Array;
  /** Open addressing: position of a key, or EMPTY. Twice as many places as positions. */
  #places: Int32Array;
  /** Entries that came, and that left, since the beginning. */
  #came = 0;
  #left = 0;
  /** Those that were removed before their time. */
  #removed = 0;

  constructor(maxEntries: number, runtime: Pick<RuntimeParts, "randomBytes">) {
    this.#maxEntries = maxEntries;
    this.#capacity = Math.min(FIRST_CAPACITY, maxEntries);
    this.#keys = new Uint32Array(this.#capacity * WORDS);
    this.#times = new Float64Array(this.#capacity);
    this.#tags = new Uint32Array(this.#capacity);
    this.#places = emptyPlaces(this.#capacity);
    runtime.randomBytes(new Uint8Array(this.#salt.buffer));
  }

  get size(): number {
    return this.#came - this.#left - this.#removed;
  }

  /** When the oldest entry came; undefined when there is none. */
  get oldest(): number | undefined {
    return this.#came === this.#left ? undefined : this.#times[this.#left % this.#capacity];
  }

  /** Whether one more takes the place of the oldest. */
  get full(): boolean {
    return this.#came - this.#left >= this.#maxEntries;
  }

  /** Number of the entry; undefined when the key is not there. */
  find(key: string): number | undefined {
    const position = this.#places[this.#place(this.#hash(key))] as number;
    return position === EMPTY ? undefined : this.#number(position);
  }

  /** Adds a key that is not there, and gives its number. There must be room: see {@link full} and {@link shift}. */
  add(key: string, tag: number, now: number): number {
    if (this.#came - this.#left >= this.#capacity) this.#grow();
    const position = this.#came % this.#capacity;
    const words = this.#hash(key);
    this.#keys.set(words, position * WORDS);
    this.#times[position] = now;
    this.#tags[position] = tag;
    this.#places[this.#place(words)] = position;
    return this.#came++;
  }

  tag(number: number): number {
    return this.#tags[number % this.#capacity] as number;
  }

  /** The oldest leaves; gives its number. */
  shift(): number {
    const position = this.#left % this.#capacity;
    if (this.#times[position] === Number.NEGATIVE_INFINITY) this.#removed--;
    else this.#vacate(position);
    return this.#left++;
  }

  /** Forgets an entry before its time. Its number stays taken until its turn comes. */
  remove(number: number): void {
    const position = number % this.#capacity;
    this.#vacate(position);
    this.#times[position] = Number.NEGATIVE_INFINITY;
    this.#removed++;
  }

  #number(position: number): number {
    const first = this.#left % this.#capacity;
    return this.#left + ((position - first + this.#capacity) % this.#capacity);
  }

  /** Four words that depend on each other (after cyrb128, by bryc). Holds until the next. */
  #hash(key: string): Uint32Array {
    let [a = 0, b = 0, c = 0, d = 0] = this.#salt;
    for (let index = 0; index < key.length; index++) {
      const code = key.charCodeAt(index);
      a = b ^ Math.imul(a ^ code, 597_399_067);
      b = c ^ Math.imul(b ^ code, 2_869_860_233);
      c = d ^ Math.imul(c ^ code, 951_274_213);
      d = a ^ Math.imul(d ^ code, 2_716_044_179);
    }
    const words = this.#words;
    words[0] = Math.imul(c ^ (a >>> 18), 597_399_067);
    words[1] = Math.imul(d ^ (b >>> 22), 2_869_860_233);
    words[2] = Math.imul(a ^ (c >>> 17), 951_274_213);
    words[3] = Math.imul(b ^ (d >>> 19), 2_716_044_179);
    return words;
  }

  /** Where the key is, or would be. */
  #place(words: Uint32Array): number {
    const mask = this.#places.length - 1;
    let place = (words[0] as number) & mask;
    while (this.#places[place] !== EMPTY && !this.#holds(this.#places[place] as number, words))
      place = (place + 1) & mask;
    return place;
  }

  #holds(position: number, words: Uint32Array): boolean {
    const at = position * WORDS;
    for (let word = 0; word < WORDS; word++) if (this.#keys[at + word] !== words[word]) return false;
    return true;
  }

  /** Empties a place and moves those behind it up (Knuth, 6.4, algorithm R). */
  #vacate(position: number): void {
    const mask = this.#places.length - 1;
    const words = this.#keys.subarray(position * WORDS, position * WORDS + WORDS);
    let hole = this.#place(words);
    for (let place = (hole + 1) & mask; this.#places[place] !== EMPTY; place = (place + 1) & mask) {
      const other = this.#places[place] as number;
      const home = (this.#keys[other * WORDS] as number) & mask;
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      this.#places[hole] = other;
      hole = place;
    }
    this.#places[hole] = EMPTY;
  }

  #grow(): void {
    const [keys, times, tags, before] = [this.#keys, this.#times, this.#tags, this.#capacity];
    this.#capacity = Math.min(before * 2, this.#maxEntries);
    this.#keys = new Uint32Array(this.#capacity * WORDS);
    this.#times = new Float64Array(this.#capacity);
    this.#tags = new Uint32Array(this.#capacity);
    this.#places = emptyPlaces(this.#capacity);
    for (let number = this.#left; number < this.#came; number++) {
      const words = keys.subarray((number % before) * WORDS, (number % before) * WORDS + WORDS);
      const position = number % this.#capacity;
      this.#keys.set(words, position * WORDS);
      this.#times[position] = times[number % before] as number;
      this.#tags[position] = tags[number % before] as number;
      if (this.#times[position] !== Number.NEGATIVE_INFINITY) this.#places[this.#place(words)] = position;
    }
  }
}

function emptyPlaces(capacity: number): Int32Array {
  return new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2))).fill(EMPTY);
}
