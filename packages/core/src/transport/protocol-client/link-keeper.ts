import { type ParleyError, TransportError, toParleyError } from "../../call/error.ts";
import type { Log } from "../../call/log.ts";
import { withOutcome } from "../../call/outcome.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { type OperationOptions, within } from "../../runtime/within.ts";
import type { ReconnectPolicy } from "../reconnect/options.ts";
import { mayRedial, Redial } from "../reconnect/redial.ts";
import type { ClientHealth, ClientState, ClientStateChange } from "./client-state.ts";
import { type Waiter, WaitingOperations } from "./waiting-operations.ts";

/** What {@link LinkKeeperInit.dial} tells of a link. */
export interface Dialling<Link> {
  /** The link can be used. Operations that have waited are made before it returns. */
  opened(link: Link): void;
  /**
   * The link is lost, and not by having been shut. Told once.
   * @param end `false`: another is dialled; else there is to be none. @default as {@link mayRedial} says
   */
  lost(error: ParleyError, end?: Ending | false): void;
}

/** That there is to be no link any more. */
export interface Ending {
  /** Why; nothing when it has ended in order. */
  readonly reason: ParleyError | undefined;
}

/** What a {@link LinkKeeper} is made from. */
export interface LinkKeeperInit<Link> {
  /** To whom the link leads, as errors name it: `the broker at 127.0.0.1:1883`. */
  readonly peer: string;
  /**
   * Dials once, makes the link ready for use, and says so by `opened` before it resolves. The signal gives it up, with a ParleyError as its
   * reason; nothing stays open then.
   */
  dial(signal: AbortSignal, told: Dialling<Link>): Promise<void>;
  /** Closes a link, letting what is under way end within the grace. Never rejects. */
  shut(link: Link, graceMs: number): Promise<void>;
  /** Resolves at a sign of life of the peer; undefined while none could be seen, though nothing is wrong. */
  ping(link: Link): Promise<unknown> | undefined;
  /** Whether another attempt to come back may come to something else after this error. @default {@link mayRedial} */
  mayRedial?(error: ParleyError): boolean;
  /** Told once, when there will be no link any more: why, or nothing after an orderly close. */
  ended(reason: ParleyError | undefined): void;
  readonly policy: ReconnectPolicy;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
}

/**
 * Keeps one link open for a protocol's client: dials it for the first operation, and again after a cut, with growing delays. Operations that
 * are made while there is no link wait, in their order and bounded. The first dial is made once: when it fails, so does what waits for it,
 * and the next operation dials anew.
 */
export class LinkKeeper<Link> {
  readonly #init: LinkKeeperInit<Link>;
  readonly #redial: Redial;
  /** Aborted when nobody wants a link any more. */
  readonly #over = new AbortController();
  readonly #waiting: WaitingOperations<Link>;
  readonly #listeners = new Set<(change: ClientStateChange) => void>();
  /** The first dial, which those who wait for it may give up. */
  #first: AbortController | undefined;
  /** Whether the first dial is wanted for more than those who wait for it. */
  #kept = false;
  /** Settles with the latest dial. */
  #dialled: Promise<unknown> = Promise.resolve();
  #link: Link | undefined;
  #state: ClientState = "idle";
  #lastError: ParleyError | undefined;
  #endedBy: ParleyError | undefined;
  #closing: Promise<void> | undefined;

  constructor(init: LinkKeeperInit<Link>) {
    const { policy, runtime, log, peer } = init;
    this.#init = init;
    this.#waiting = new WaitingOperations({
      ...policy,
      peer,
      runtime,
      reason: () => this.#lastError,
      abandoned: () => this.#abandon(),
    });
    this.#redial = new Redial({
      peer,
      mayRedial: init.mayRedial ?? mayRedial,
      policy,
      runtime,
      log,
      signal: this.#over.signal,
      waits: (wait) => {
        this.#lastError = wait.error;
        this.#turn({ state: "reconnecting", ...wait });
      },
      gaveUp: (error) => this.#end(error),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The link, while the state is `open`. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** What was last wrong. */
  get lastError(): ParleyError | undefined {
    return this.#lastError;
  }

  /** Whether it takes no new operations: it is being closed, or has ended. */
  get closing(): boolean {
    return this.#closing !== undefined || this.#state === "closed";
  }

  /** Why it takes no new operations. */
  over(): ParleyError {
    const cause = this.#endedBy;
    const why = cause ? `has ended: ${cause.message}` : "was closed";
    return new TransportError("unavailable", `the connection to ${this.#init.peer} ${why}`, {
      outcome: "not-sent",
      cause,
      details: cause?.details,
    });
  }

  /**
   * Dials, unless there is a link or will be, whether or not an operation waits for it.
   * @throws ParleyError `unavailable`, `not-sent`, when it is {@link closing}
   */
  begin(): void {
    if (this.closing) throw this.over();
    this.#kept = true;
    if (this.#state === "idle") this.#begin();
  }

  /** Tells of each change of state from now on; gives back what takes the listener off again. */
  onState(listener: (change: ClientStateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Hands the link to an operation: at once, or as soon as there is one.
   * @param failed told that there is none; what the operation came to otherwise is its own affair
   */
  run(
    operation: Waiter,
    send: (link: Link) => void,
    failed: (error: ParleyError) => void = (error) => operation.reject(withOutcome(error, "not-sent")),
  ): void {
    if (operation.over) return;
    if (this.closing) return failed(this.over());
    if (this.#link !== undefined) return send(this.#link);
    const waits = this.#waiting.add(operation, send, failed, this.#state === "reconnecting");
    if (waits && this.#state === "idle") this.#begin();
  }

  /** How the link fares, waiting no longer than the time for a sign of life. Opens none. Never rejects. */
  async health({ signal, timeoutMs = 5_000 }: OperationOptions = {}): Promise<ClientHealth> {
    const { runtime, peer } = this.#init;
    const begun = runtime.now();
    const pong = this.#link === undefined ? undefined : this.#init.ping(this.#link);
    if (!pong) return { state: this.#state, lastError: this.#lastError };
    try {
      await within(pong, { signal, timeoutMs }, runtime, `${peer} gave no sign of life`, "unknown");
      return { state: this.#state, roundTripMs: runtime.now() - begun, lastError: this.#lastError };
    } catch (thrown) {
      return { state: this.#state, lastError: toParleyError(thrown) };
    }
  }

  /** Takes no new operations, shuts the link within the grace. Idempotent; resolves when nothing is left open. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#shutDown(graceMs);
    return this.#closing;
  }

  #begin(): void {
    const first = new AbortController();
    this.#first = first;
    this.#turn({ state: "connecting" });
    this.#dialled = this.#dial(first.signal).catch((thrown: unknown) => {
      if (this.#first !== first || this.#state !== "connecting" || this.#closing) return;
      const error = toParleyError(thrown);
      this.#lastError = error;
      this.#kept = false;
      this.#turn({ state: "idle", error });
      this.#waiting.fail(error);
    });
  }

  /** Nobody waits for the first dial any more. */
  #abandon(): void {
    if (this.#state !== "connecting" || this.#kept) return;
    const first = this.#first;
    this.#first = undefined;
    this.#turn({ state: "idle" });
    first?.abort(new TransportError("unavailable", "nobody waits for the connection any more"));
  }

  async #dial(signal: AbortSignal): Promise<void> {
    let link: Link | undefined;
    let lost: ParleyError | undefined;
    let isOurs = false;
    await this.#init.dial(signal, {
      opened: (opened) => {
        link = opened;
        isOurs = !lost && !signal.aborted;
        if (isOurs) this.#opened(opened);
      },
      lost: (error, end = (this.#init.mayRedial ?? mayRedial)(error) ? false : { reason: error }) => {
        lost = error;
        if (isOurs && this.#link === link) this.#lost(error, end);
      },
    });
    if (isOurs) return;
    if (lost) throw lost;
    if (link !== undefined) await this.#init.shut(link, 0);
    throw signal.reason;
  }

  #opened(link: Link): void {
    this.#link = link;
    this.#redial.opened();
    this.#turn({ state: "open" });
    this.#waiting.serve(link, () => this.#link === link);
  }

  #lost(error: ParleyError, end: Ending | false): void {
    this.#link = undefined;
    this.#lastError = error;
    if (this.#closing) return;
    if (end) return this.#end(end.reason);
    void this.#redial.run(error, () => {
      const dialled = this.#dial(this.#over.signal);
      this.#dialled = dialled.catch(() => {});
      return dialled;
    });
  }

  async #shutDown(graceMs: number): Promise<void> {
    if (this.#state === "closed") return;
    const closed = this.over();
    this.#over.abort(closed);
    this.#first?.abort(closed);
    this.#waiting.fail(closed);
    await this.#dialled;
    if (this.#link !== undefined) await this.#init.shut(this.#link, graceMs);
    this.#end(undefined);
  }

  #end(reason: ParleyError | undefined): void {
    if (this.#state === "closed") return;
    this.#lastError = reason ?? this.#lastError;
    this.#endedBy = this.#closing ? undefined : this.#lastError;
    this.#link = undefined;
    this.#over.abort(reason);
    this.#turn({ state: "closed", error: reason });
    this.#waiting.fail(this.over());
    this.#init.ended(reason);
  }

  #turn(change: ClientStateChange): void {
    this.#state = change.state;
    for (const listener of [...this.#listeners]) listener(change);
  }
}
