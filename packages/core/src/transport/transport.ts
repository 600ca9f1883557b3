import type { ParleyError } from "../call/error.ts";
import type { Handler, Invoke } from "../call/interceptor.ts";
import type { Log } from "../call/log.ts";
import type { Renewal } from "../credentials/presenter.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Hello } from "./hello.ts";
import type { Manifest } from "./manifest.ts";
import type { SessionKeeper } from "./session/keeper.ts";

/** The dialling side of a {@link Transport}: all that there is of one in a browser. */
export interface DialTransport {
  /** Short name, `"ws"`. */
  readonly name: string;
  /** URL schemes it serves, without the colon: `["ws", "wss"]`. */
  readonly schemes: readonly string[];
  readonly manifest: Manifest;
  /**
   * Resolves when the handshake is done.
   * @throws ParleyError `unavailable` (`not-sent`) when nobody answers or it is no Parley, `failed_precondition` when no profile is common,
   * `unauthenticated`, `permission_denied`, `deadline_exceeded` after `connectTimeoutMs`.
   */
  connect(url: URL, options?: ConnectOptions): Promise<Connection>;
}

/** Carries calls to the other side of one protocol. A factory such as `ws()` makes it and takes the protocol's own options. */
export interface Transport extends DialTransport {
  /**
   * Resolves when calls can arrive. Port 0 takes a free one; the listener's `url` has it.
   * @throws ParleyError `already_exists` when the address is in use, `permission_denied`, `invalid_argument`.
   */
  listen(url: URL, handler: Handler, options?: ListenOptions): Promise<Listener>;
}

/** What every transport understands when dialling. */
export interface ConnectOptions {
  /** Answers calls from the peer. Without it they fail with `unimplemented`. */
  readonly handler?: Handler | undefined;
  /** Gives up connecting; of no effect once connected. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Lets the connection outlive a cut: made by `reconnecting`, which dials again, and passed on to `dialChannel`. Without it, and on wires without
   * sessions, a cut is the end.
   */
  readonly session?: SessionKeeper | undefined;
  /** Time for the connection and the handshake together. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What every transport understands when listening. */
export interface ListenOptions {
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** Where a connection is in its life; the last state is final. Only one that comes back after a cut is ever `reconnecting`: it has no wire. */
export type ConnectionState = "open" | "reconnecting" | "draining" | "closed";

/** What a connection counts. Numbers only grow, but for `openCalls`. */
export interface ConnectionStats {
  /** Calls under way, in both directions. */
  readonly openCalls: number;
  /** Messages for a call that is over, or repeated: dropped. */
  readonly lateMessages: number;
  /** Messages that could not be read and did not cost the connection. */
  readonly refusedMessages: number;
}

/** How `close` goes about calls under way. */
export interface CloseOptions {
  /** Time that calls under way have to end; then they fail with `unavailable`. @default 5_000 */
  readonly graceMs?: number | undefined;
}

/** A way to one peer. */
export interface Connection extends AsyncDisposable {
  /** Calls the peer. After the end: `unavailable`, `not-sent`. */
  readonly call: Invoke;
  /** What the peer said of itself in the handshake. */
  readonly hello: Hello;
  readonly state: ConnectionState;
  /** Resolves once, when the connection has ended: with the reason, or with nothing after an orderly close. Never rejects. */
  readonly closed: Promise<ParleyError | undefined>;
  /** What can be done when the peer no longer accepts who calls; absent where there is only ever one credential. */
  readonly renewal?: Renewal | undefined;
  stats(): ConnectionStats;
  /** Asks the peer for a sign of life. @throws ParleyError `unavailable` */
  ping(): Promise<{ readonly roundTripMs: number }>;
  /** Takes no new calls, lets those under way end within the grace, then closes. Idempotent; resolves when nothing is left open. */
  close(options?: CloseOptions): Promise<void>;
}

/** Where calls arrive. */
export interface Listener extends AsyncDisposable {
  /** The address to dial, with the port that was taken. */
  readonly url: URL;
  /** The sum over its connections, past ones included. */
  stats(): ConnectionStats;
  /** Takes no new connections or calls, lets those under way end within the grace, then closes. Idempotent; resolves when nothing is left open. */
  close(options?: CloseOptions): Promise<void>;
}
