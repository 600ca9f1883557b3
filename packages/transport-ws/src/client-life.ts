import {
  type ClientState,
  type ClientStateChange,
  type Log,
  type ParleyError,
  type Patience,
  Redial,
  type RedialPolicy,
  type Runtime,
  TransportError,
  toParleyError,
  within,
} from "@parley/core/transport";

/** What a {@link ClientLife} is made from. */
export interface ClientLifeInit {
  /** Whom it dials, as it stands in errors. */
  readonly peer: string;
  readonly policy: RedialPolicy;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  /** Dials once; calls `opened` before it resolves. The signal gives it up. */
  dial(signal: AbortSignal): Promise<void>;
  changed(change: ClientStateChange): void;
  /** A dial failed, or a connection was lost. */
  failed(error: ParleyError): void;
  /** The first dial failed: whoever waits for a connection waits in vain. The next use dials again. */
  undialled(error: ParleyError): void;
  /** It is closed; with an error unless that was orderly. `over` is what whoever still wants something is told. */
  ended(error: ParleyError | undefined, over: ParleyError): void;
}

/** The life of a client: dialled when it is first used, dialled again when it was lost, and closed once. */
export class ClientLife {
  readonly #init: ClientLifeInit;
  readonly #redial: Redial;
  /** Aborted when nobody wants a connection any more. */
  readonly #giveUp = new AbortController();
  #state: ClientState = "idle";
  /** Settles when there is a connection, or none will come. */
  #ready = readiness();
  #lastError: ParleyError | undefined;
  #endedBy: ParleyError | undefined;

  constructor(init: ClientLifeInit) {
    const { policy, runtime, log } = init;
    this.#init = init;
    this.#redial = new Redial({
      policy,
      runtime,
      log,
      signal: this.#giveUp.signal,
      waits: (wait) => {
        this.#failed(wait.error);
        this.#turn({ state: "reconnecting", ...wait });
      },
      gaveUp: (error) => this.end(error),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  get lastError(): ParleyError | undefined {
    return this.#lastError;
  }

  /** Whether it has been told to close, or has. */
  get closing(): boolean {
    return this.#giveUp.signal.aborted;
  }

  /** Dials unless that has been done. @throws ParleyError `unavailable`, `not-sent`, when it is over */
  begin(): void {
    if (this.closing) throw this.over();
    if (this.#state !== "idle") return;
    this.#ready = readiness();
    this.#turn({ state: "connecting" });
    void this.#dialFirst();
  }

  /** Resolves when there is a connection. @throws ParleyError why there is none, or that the patience is at an end */
  ready(patience: Patience): Promise<void> {
    const { peer, runtime } = this.#init;
    return within(this.#ready.promise, patience, runtime, `${peer} was not connected`);
  }

  /** There is a connection. */
  opened(): void {
    this.#redial.opened();
    this.#turn({ state: "open" });
    this.#ready.resolve();
  }

  /** The connection is gone: another is dialled. */
  lost(error: ParleyError): void {
    this.#ready = readiness();
    void this.#redial.run(error, () => this.#dial());
  }

  /** Dials no more. */
  giveUp(): void {
    this.#giveUp.abort();
  }

  /** It is over. */
  end(error: ParleyError | undefined): void {
    if (this.#state === "closed") return;
    this.#giveUp.abort();
    this.#endedBy = error;
    if (error) this.#failed(error);
    this.#turn({ state: "closed", error });
    const over = this.over();
    this.#ready.reject(over);
    this.#init.ended(error, over);
  }

  /** Why it does nothing any more. */
  over(): ParleyError {
    const cause = this.#endedBy;
    const why = cause ? `has ended: ${cause.message}` : "was closed";
    const message = `the connection to ${this.#init.peer} ${why}`;
    return new TransportError("unavailable", message, { outcome: "not-sent", cause });
  }

  async #dialFirst(): Promise<void> {
    try {
      await this.#dial();
    } catch (thrown) {
      if (this.closing) return;
      const error = toParleyError(thrown);
      this.#failed(error);
      this.#turn({ state: "idle", error });
      this.#ready.reject(error);
      this.#init.undialled(error);
    }
  }

  #dial(): Promise<void> {
    return this.#init.dial(this.#giveUp.signal);
  }

  #failed(error: ParleyError): void {
    this.#lastError = error;
    this.#init.failed(error);
  }

  #turn(change: ClientStateChange): void {
    this.#state = change.state;
    this.#init.changed(change);
  }
}

function readiness(): PromiseWithResolvers<void> {
  const ready = Promise.withResolvers<void>();
  // Not everybody waits for it.
  ready.promise.catch(() => {});
  return ready;
}
