import type { Invoke } from "./interceptor.ts";

/** Who is at the other end of a connection, as the transport knows it. An envelope's `source` is a claim; this is not. */
export interface Peer {
  /** Name of the transport, `"ws"`. */
  readonly transport: string;
  /** Address as the wire has it, `"127.0.0.1:50312"`. */
  readonly address?: string | undefined;
  /** The authenticated identity, if the transport or an interceptor established one. */
  readonly principal?: string | undefined;
  /** Calls the peer over the same connection, where the wire can (manifest key `serverInitiated`). */
  readonly invoke?: Invoke | undefined;
}

/** Names a value in a {@link Context}. Made once, at module level. */
export interface ContextKey<Value> {
  readonly description: string;
  /** Never set; holds the type. */
  readonly value?: Value;
}

/** Makes a key that no other key equals. */
export function contextKey<Value>(description: string): ContextKey<Value> {
  return { description };
}

/** What is known of a call beside its message: who calls, and what interceptors tell each other. Never sent. */
export class Context {
  /** The other end; absent on a call that starts in this process. */
  readonly peer: Peer | undefined;
  /** The caller sent no CloudEvent (plain JSON from curl, say): the envelope was made here, its id is not the caller's. */
  readonly foreign: boolean;
  #values: Map<ContextKey<unknown>, unknown> | undefined;

  constructor(peer?: Peer, foreign = false) {
    this.peer = peer;
    this.foreign = foreign;
  }

  get<Value>(key: ContextKey<Value>): Value | undefined {
    return this.#values?.get(key) as Value | undefined;
  }

  set<Value>(key: ContextKey<Value>, value: Value): void {
    this.#values ??= new Map();
    this.#values.set(key, value);
  }
}
