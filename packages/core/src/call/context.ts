import type { Invoke } from "./interceptor.ts";
import type { Presented } from "./presented.ts";

/** Who is at the other end of a connection, as the transport knows it. An envelope's `source` is a claim; this is not. */
export interface Peer {
  /** Name of the transport, `"ws"`. */
  readonly transport: string;
  /** Address as the wire has it, `"127.0.0.1:50312"`. */
  readonly address?: string | undefined;
  /** The authenticated identity, if the transport or an interceptor established one. */
  readonly principal?: string | undefined;
  /** Until when the certificate is good that `principal` is from, ms since 1970. Absent where it is from elsewhere. */
  readonly certifiedUntil?: number | undefined;
  /** What it showed when the connection was made, where that is what is authenticated. */
  readonly presented?: Presented | undefined;
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
  /** The caller sent no CloudEvent (plain JSON from curl, say): the envelope was made here, its id is not the caller's. */
  readonly foreign: boolean;
  #peer: Peer | undefined;
  #presented: Presented | undefined;
  #values: Map<ContextKey<unknown>, unknown> | undefined;

  /** @param presented what the caller showed with this call, where each brings its own. */
  constructor(peer?: Peer, foreign = false, presented: Presented | undefined = peer?.presented) {
    this.#peer = peer;
    this.foreign = foreign;
    this.#presented = presented;
  }

  /** The other end; absent on a call that starts in this process. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  /** What the caller showed to prove who it is, with this call or when its connection was made; gone once it is known who calls. */
  get presented(): Presented | undefined {
    return this.#presented;
  }

  /** For interceptors that have found out who calls: `peer.principal` says so from now on, and nobody further in sees what was shown for it. */
  identify(principal: string): void {
    this.#presented = undefined;
    this.#peer &&= identified(this.#peer, principal);
  }

  get<Value>(key: ContextKey<Value>): Value | undefined {
    return this.#values?.get(key) as Value | undefined;
  }

  set<Value>(key: ContextKey<Value>, value: Value): void {
    this.#values ??= new Map();
    this.#values.set(key, value);
  }
}

/** Peers by what they were before it was known who they are: the same connection stays the same peer. */
const known = new WeakMap<Peer, Peer>();

function identified(peer: Peer, principal: string): Peer {
  const found = known.get(peer);
  if (found?.principal === principal) return found;
  const { transport, address, invoke } = peer;
  const made: Peer = { transport, address, principal, invoke };
  known.set(peer, made);
  return made;
}
