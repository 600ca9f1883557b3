import type { RuntimeParts } from "../runtime/runtime.ts";

type IdRuntime = Pick<RuntimeParts, "date" | "randomBytes">;

const POOL_BYTES = 4096;
const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** 32 characters, so that five bits choose one without bias. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** Random bytes and clock of the ids of one runtime. */
class IdSource {
  readonly #runtime: IdRuntime;
  readonly #pool = new Uint8Array(POOL_BYTES);
  #used = POOL_BYTES;
  #ms = -1;
  #counter = 0;
  #prefix = "";

  constructor(runtime: IdRuntime) {
    this.#runtime = runtime;
  }

  uuid(): string {
    const ms = this.#runtime.date();
    if (ms > this.#ms) this.#startAt(ms);
    else if (++this.#counter > 0xfff) this.#startAt(this.#ms + 1);
    const at = this.#take(8);
    const pool = this.#pool;
    const counter = 0x7000 | this.#counter;
    return (
      this.#prefix +
      hex[counter >> 8] +
      hex[counter & 0xff] +
      "-" +
      hex[0x80 | (byteAt(pool, at) & 0x3f)] +
      hex[byteAt(pool, at + 1)] +
      "-" +
      hex[byteAt(pool, at + 2)] +
      hex[byteAt(pool, at + 3)] +
      hex[byteAt(pool, at + 4)] +
      hex[byteAt(pool, at + 5)] +
      hex[byteAt(pool, at + 6)] +
      hex[byteAt(pool, at + 7)]
    );
  }

  short(length: number): string {
    const at = this.#take(length);
    let id = "";
    for (let n = 0; n < length; n++) id += ALPHABET[byteAt(this.#pool, at + n) & 31];
    return id;
  }

  /** A new millisecond: the counter starts at random in its lower half, which leaves room for 2,048 ids before it runs over. */
  #startAt(ms: number): void {
    const at = this.#take(2);
    this.#ms = ms;
    this.#counter = ((byteAt(this.#pool, at) << 8) | byteAt(this.#pool, at + 1)) & 0x7ff;
    const time = Math.floor(ms).toString(16).padStart(12, "0");
    this.#prefix = `${time.slice(0, 8)}-${time.slice(8)}-`;
  }

  /** Position of the next random bytes in the pool; none is used twice. */
  #take(count: number): number {
    if (this.#used + count > POOL_BYTES) {
      this.#runtime.randomBytes(this.#pool);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += count;
    return at;
  }
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

const sources = new WeakMap<IdRuntime, IdSource>();

function sourceOf(runtime: IdRuntime): IdSource {
  let source = sources.get(runtime);
  if (!source) {
    source = new IdSource(runtime);
    sources.set(runtime, source);
  }
  return source;
}

/**
 * A UUIDv7 (RFC 9562, 5.7), 36 characters: ascending within a runtime (12 bits after the time are a counter, method 1 of 6.2), also when its
 * clock stands still or steps back, and with 62 random bits that nobody can guess.
 */
export function newId(runtime: IdRuntime): string {
  return sourceOf(runtime).uuid();
}

/** 26 random characters of a-z and 2-7 (130 bits), for names of sessions, which whoever knows them may take up. */
export function sessionId(runtime: IdRuntime): string {
  return sourceOf(runtime).short(26);
}

/** 16 random characters of a-z and 2-7 (80 bits), for names of this process such as sources and inboxes. */
export function shortId(runtime: IdRuntime): string {
  return sourceOf(runtime).short(16);
}
