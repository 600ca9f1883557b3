import type { Envelope } from "../envelope/envelope.ts";
import type { Call } from "./call.ts";

/** What a call comes to. */
export interface Reply {
  /** The answer to a `request` or `client-stream`. */
  readonly message?: Envelope | undefined;
  /** The items of a `server-stream`, `bidi-stream` or `subscribe`. Leaving the iteration early cancels the call. */
  readonly output?: AsyncIterable<Envelope> | undefined;
}

/**
 * A client calls one, a server is one, an interceptor wraps one. Rejects only with a ParleyError.
 *
 * Streaming kinds resolve when the peer's handler has accepted, before any item, so that retry and relays see a refusal. `notify` and
 * `publish` resolve when the message is handed over, confirmed where the wire confirms.
 */
export type Invoke = (call: Call) => Promise<Reply>;

/** What answers calls: what `listen` takes. An answer that is ready costs no promise. */
export type Handler = (call: Call) => Reply | Promise<Reply>;

/** Wraps an {@link Invoke}. The outer function runs once per client or server, the inner once per call. */
export type Interceptor = (next: Invoke) => Invoke;

/** Composes interceptors around `invoke`; the first in the list is the outermost. */
export function intercept(invoke: Invoke, interceptors: readonly Interceptor[] = []): Invoke {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), invoke);
}
