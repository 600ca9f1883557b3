import type { ErrorData } from "../call/error-event.ts";
import type { Envelope } from "../envelope/envelope.ts";

/**
 * What a call came to.
 * - `done`: it was answered, with this message if it has an answer.
 * - `failed`: it was answered with this error.
 * - `aborted`: it was given up while it ran; what it did by then is unknown.
 * - `forgotten`: it was answered, and the answer is no longer kept.
 */
export type DedupeResult =
  | { readonly state: "done"; readonly message?: Envelope | undefined }
  | { readonly state: "failed"; readonly error: ErrorData }
  | { readonly state: "aborted" }
  | { readonly state: "forgotten" };

/** What a store keeps of a call. */
export interface DedupeRecord {
  /** 32 bits of its operation and data: what comes under the same key must be the same. */
  readonly fingerprint: number;
  /** Absent while it runs, here or in another process that shares the store. */
  readonly result?: DedupeResult | undefined;
}

/**
 * Remembers calls by key, each for at least the store's window unless it is full. Any method may answer by a promise; `claim` decides between
 * processes that share the store, so it must be atomic.
 */
export interface DedupeStore {
  /** Keeps the key as running if it is new, and gives undefined; else gives what is kept. */
  claim(key: string, fingerprint: number): DedupeRecord | undefined | Promise<DedupeRecord | undefined>;
  /** Keeps what the call came to. `bytes`: roughly what the result takes. */
  settle(key: string, result: DedupeResult, bytes: number): void | Promise<void>;
  /** Forgets the call: the next of this key is new. */
  release(key: string): void | Promise<void>;
  /** How far back nothing was forgotten, ms: a call that is not known, and is not older than that, was never seen. Absent: nothing ever is. */
  completeForMs?(): number | Promise<number>;
}
