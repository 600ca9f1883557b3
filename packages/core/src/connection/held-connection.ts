import { ParleyError, TransportError } from "../call/error.ts";
import type { Log } from "../call/log.ts";
import type { CancelTimer, Runtime } from "../runtime/runtime.ts";
import { within } from "../runtime/within.ts";
import { type Closable, type Probe, probeOf } from "./closable.ts";

/** Where connections come from. */
export interface Source<out One extends Closable> {
  /** Tells it from others. */
  readonly name: string;
  readonly host: string;
  /** Users of one connection at a time. */
  readonly maxUsers: number;
  readonly maxConnections: number;
  /** How long one that is closed may take to end what is under way, ms. */
  readonly graceMs: number;
  open(options: { readonly signal: AbortSignal }): One | Promise<One>;
  /** Told whenever opening one has come to an end: why it failed, or nothing. */
  opened?(error: ParleyError | undefined): void;
}

/** What a {@link HeldConnection} is made from. */
export interface HeldConnectionInit<One extends Closable> {
  readonly source: Source<One>;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number | undefined;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  /** Nothing is left of it. */
  gone(): void;
}

/** How much longer than its grace a connection may take to close before it is left to itself, ms. */
const CLOSE_MARGIN_MS = 5_000;

/** One connection of a pool: being opened, used, idle, or being closed. Takes a place until nothing is left of it. */
export class HeldConnection<One extends Closable> {
  /** Rejects when it cannot be opened. */
  readonly ready: Promise<One>;
  readonly #init: HeldConnectionInit<One>;
  readonly #giveUp = new AbortController();
  #phase: "opening" | "open" | "closing" = "opening";
  #connection: One | undefined;
  #users = 0;
  #discarded = false;
  #idleSince = 0;
  #cancelTimer: CancelTimer | undefined;
  #unused: (() => void) | undefined;
  #retiring: Promise<void> | undefined;

  constructor(init: HeldConnectionInit<One>) {
    this.#init = init;
    this.ready = this.#open();
    // Told to those who wait for it.
    this.ready.catch(() => {});
  }

  get source(): Source<One> {
    return this.#init.source;
  }

  get users(): number {
    return this.#users;
  }

  /** The connection, once it is open. */
  get connection(): One | undefined {
    return this.#phase === "open" ? this.#connection : undefined;
  }

  get closing(): boolean {
    return this.#phase === "closing";
  }

  /** Whether one more may use it. */
  get available(): boolean {
    return this.#phase !== "closing" && !this.useless && this.#users < this.source.maxUsers;
  }

  /** Whether nobody may get it any more: given back as that, or closed by itself. */
  get useless(): boolean {
    return this.#discarded || (this.#connection !== undefined && probeOf(this.#connection).state === "closed");
  }

  /** Since when nobody uses it, on the monotonic clock; undefined while somebody does. */
  get idleSince(): number | undefined {
    return this.#phase === "open" && this.#users === 0 ? this.#idleSince : undefined;
  }

  /** One more uses it. */
  enter(): void {
    this.#users++;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** One uses it no more. @param discard whether nobody else should */
  leave(discard: boolean): void {
    this.#users--;
    this.#discarded ||= discard;
    if (this.#users > 0) return;
    this.#unused?.();
    this.#rest();
  }

  /** Closes it: users have the grace to leave, and what is under way the rest of it to end. Idempotent; never rejects. */
  retire(graceMs: number): Promise<void> {
    this.#retiring ??= this.#close(graceMs);
    return this.#retiring;
  }

  #rest(): void {
    const { idleTimeoutMs, runtime, source } = this.#init;
    if (this.#phase !== "open" || this.#users > 0) return;
    this.#idleSince = runtime.now();
    const close = (): void => void this.retire(source.graceMs);
    if (this.useless) close();
    else if (idleTimeoutMs !== undefined) this.#cancelTimer = runtime.setTimer(close, idleTimeoutMs);
  }

  async #open(): Promise<One> {
    const { source, connectTimeoutMs, runtime, gone } = this.#init;
    const { signal } = this.#giveUp;
    try {
      const what = `${source.name} was not connected`;
      const connection = await within(this.#make(signal), { timeoutMs: connectTimeoutMs, signal }, runtime, what);
      this.#phase = "open";
      source.opened?.(undefined);
      this.#rest();
      return connection;
    } catch (thrown) {
      const error = openError(source.name, thrown);
      this.#phase = "closing";
      this.#giveUp.abort(error);
      if (this.#connection) await this.#end(this.#connection, 0);
      source.opened?.(error);
      gone();
      throw error;
    }
  }

  async #make(signal: AbortSignal): Promise<One> {
    // What opens it may ask for others, and this one counts by then.
    await undefined;
    const connection = await this.#init.source.open({ signal });
    if (signal.aborted) {
      // Too late: nobody else knows of it.
      await this.#end(connection, 0);
      throw signal.reason;
    }
    this.#connection = connection;
    const probe: Probe = probeOf(connection);
    if (typeof probe.connect === "function") await probe.connect({ signal });
    return connection;
  }

  async #close(graceMs: number): Promise<void> {
    const { runtime, gone } = this.#init;
    if (this.#phase === "opening") {
      const message = `${this.source.name} was closed while it was being opened`;
      this.#giveUp.abort(new TransportError("unavailable", message, { outcome: "not-sent" }));
      const opened = await this.ready.then(
        () => true,
        () => false,
      );
      // It may have come about at the same moment.
      if (!opened) return;
    }
    this.#phase = "closing";
    this.#cancelTimer?.();
    const deadline = runtime.now() + graceMs;
    if (this.#users > 0) {
      const unused = new Promise<void>((resolve) => {
        this.#unused = resolve;
      });
      await within(unused, { timeoutMs: graceMs }, runtime, "its users did not leave").catch(() => {});
    }
    await this.#end(this.#connection as One, Math.max(0, deadline - runtime.now()));
    gone();
  }

  /** Closes what was opened; a failure is told to the log, for nobody can do anything about it. */
  async #end(connection: One, graceMs: number): Promise<void> {
    const { runtime, log, source } = this.#init;
    try {
      const timeoutMs = graceMs + CLOSE_MARGIN_MS;
      await within(connection.close({ graceMs }), { timeoutMs }, runtime, `${source.name} did not close`, "unknown");
    } catch (error) {
      log?.({ level: "warn", event: "close-failed", message: `${source.name} was not closed in order`, error });
    }
  }
}

function openError(name: string, thrown: unknown): ParleyError {
  if (thrown instanceof ParleyError) return thrown;
  return new TransportError("unavailable", `${name} could not be opened`, { outcome: "not-sent", cause: thrown });
}
