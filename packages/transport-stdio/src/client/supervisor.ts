import {
  type Backoff,
  type ClientState,
  type ClientStateChange,
  delayBound,
  fullJitter,
  type Log,
  type ParleyError,
  pause,
  type Runtime,
  TransportError,
  toParleyError,
  withOutcome,
} from "@parley/core/transport";
import type { Operation } from "./operation.ts";
import type { Session, SessionEnd } from "./session.ts";

/** How a child is started again. */
export interface RestartPolicy extends Backoff {
  readonly maxAttempts: number;
}

/** What a {@link Supervisor} is made from. */
export interface SupervisorInit {
  readonly program: string;
  /** Starts a child and makes it ready; the signal gives it up. Tells of the session as soon as there is one. */
  start(signal: AbortSignal, begun: (session: Session) => void): Promise<Session>;
  /** Absent: a child that ends is not started again. */
  readonly restart: RestartPolicy | undefined;
  readonly maxPending: number;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
}

interface Waiter {
  resolve(session: Session): void;
  reject(error: ParleyError): void;
}

/** What no further attempt can change: the command. */
const fatal: ReadonlySet<string> = new Set(["not_found", "permission_denied", "invalid_argument"]);

/** Children of one command, one after the other: the first is started when it is needed, the next when the one before ended unasked. */
export class Supervisor {
  readonly #init: SupervisorInit;
  readonly #listeners = new Set<(change: ClientStateChange) => void>();
  readonly #waiting = new Set<Waiter>();
  /** Those whose children are not gone. */
  readonly #live = new Set<Session>();
  /** Aborted when nobody wants a child any more. */
  readonly #giveUp = new AbortController();
  readonly #closed = Promise.withResolvers<ParleyError | undefined>();
  #state: ClientState = "idle";
  #session: Session | undefined;
  /** Resolves when the last start has come to something. */
  #starting: Promise<unknown> | undefined;
  #lastError: ParleyError | undefined;
  /** Starts in a row since a child lived long enough. */
  #attempt = 0;
  #closing: Promise<void> | undefined;

  constructor(init: SupervisorInit) {
    this.#init = init;
  }

  get state(): ClientState {
    return this.#state;
  }

  get lastError(): ParleyError | undefined {
    return this.#lastError;
  }

  /** Resolves once, when the state is `closed`. */
  get closed(): Promise<ParleyError | undefined> {
    return this.#closed.promise;
  }

  /** The latest that was ready. */
  get session(): Session | undefined {
    return this.#session;
  }

  onState(listener: (change: ClientStateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The session to speak with; starts the child, or waits until it is ready. */
  async open(operation: Operation): Promise<Session> {
    const { program, maxPending } = this.#init;
    if (this.#state === "open" && this.#session && !this.#closing) return this.#session;
    if (this.#closing || this.#state === "closed") throw this.#refusal(`the client of ${program} is closed`);
    if (this.#waiting.size >= maxPending) {
      const problem = `${maxPending} wait for ${program} to start, the most that maxPending permits`;
      throw new TransportError("resource_exhausted", problem, { outcome: "not-sent" });
    }
    if (this.#state === "idle") void this.#connect();
    return await operation.wait("was not ready", (resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiting.add(waiter);
      return () => this.#waiting.delete(waiter);
    });
  }

  /** The session to read from: the last one as long as it has something to say, and forever once there will be no other. */
  async readable(operation: Operation): Promise<Session> {
    const session = this.#session;
    if (session && (session.exchange.unread || this.#state === "closed")) return session;
    return await this.open(operation);
  }

  /** Lets what is under way end, within the grace, then ends the child; resolves when none is left. */
  close(graceMs: number, underWay: () => Promise<unknown>): Promise<void> {
    this.#closing ??= this.#shutDown(graceMs, underWay);
    return this.#closing;
  }

  async #shutDown(graceMs: number, underWay: () => Promise<unknown>): Promise<void> {
    this.#giveUp.abort();
    this.#refuseWaiting(this.#refusal(`the client of ${this.#init.program} was closed`));
    if (this.#state === "open" && graceMs > 0) {
      const over = new AbortController();
      void underWay().then(() => over.abort());
      await pause(graceMs, over.signal, this.#init.runtime);
    }
    await this.#starting;
    for (const session of this.#live) session.close();
    await Promise.all([...this.#live].map(({ ended }) => ended));
    this.#finish(undefined);
  }

  async #connect(): Promise<void> {
    this.#turn({ state: "connecting" });
    try {
      await this.#start();
    } catch (thrown) {
      if (this.#closing) return;
      this.#lastError = toParleyError(thrown);
      this.#turn({ state: "idle", error: this.#lastError });
      this.#refuseWaiting(withOutcome(this.#lastError, "not-sent"));
    }
  }

  async #start(): Promise<void> {
    const starting = this.#init.start(this.#giveUp.signal, (begun) => {
      this.#live.add(begun);
      void begun.ended.then(() => this.#live.delete(begun));
    });
    this.#starting = starting.catch(() => {});
    const session = await starting;
    if (this.#closing) return;
    this.#session = session;
    this.#turn({ state: "open" });
    for (const { resolve } of this.#waiting) resolve(session);
    this.#waiting.clear();
    const openedAt = this.#init.runtime.now();
    void session.ended.then((end) => this.#lost(end, this.#init.runtime.now() - openedAt));
  }

  #lost({ error, inOrder, asked }: SessionEnd, livedMs: number): void {
    if (this.#closing) return;
    this.#lastError = error;
    const { restart } = this.#init;
    if (!restart || asked) return this.#finish(inOrder ? undefined : error);
    if (livedMs >= restart.maxMs) this.#attempt = 0;
    void this.#comeBack(restart);
  }

  async #comeBack(policy: RestartPolicy): Promise<void> {
    const { runtime, program, log } = this.#init;
    const { signal } = this.#giveUp;
    while (this.#attempt < policy.maxAttempts) {
      const attempt = ++this.#attempt;
      const delayMs = fullJitter(attempt, policy, runtime) + (this.#lastError?.retryAfterMs ?? 0);
      this.#turn({ state: "reconnecting", attempt, delayMs, error: this.#lastError });
      log?.({
        level: "warn",
        event: "restarting",
        message: `${program} has ended; start ${attempt} of ${policy.maxAttempts} in ${Math.round(delayMs)} ms (drawn from up to ${delayBound(attempt, policy)} ms)`,
        error: this.#lastError,
      });
      await pause(delayMs, signal, runtime);
      if (signal.aborted) return;
      try {
        return await this.#start();
      } catch (thrown) {
        if (signal.aborted) return;
        this.#lastError = toParleyError(thrown);
        if (fatal.has(this.#lastError.code)) break;
      }
    }
    this.#finish(this.#lastError);
  }

  #finish(reason: ParleyError | undefined): void {
    if (this.#state === "closed") return;
    this.#turn({ state: "closed", error: reason });
    this.#refuseWaiting(this.#refusal(`${this.#init.program} has ended`));
    this.#closed.resolve(reason);
  }

  #refusal(message: string): ParleyError {
    return new TransportError("unavailable", message, {
      outcome: "not-sent",
      cause: this.#lastError,
      details: this.#lastError?.details,
    });
  }

  #refuseWaiting(error: ParleyError): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #turn(change: ClientStateChange): void {
    this.#state = change.state;
    for (const listener of [...this.#listeners]) listener(change);
  }
}
