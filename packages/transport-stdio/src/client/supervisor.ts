import {
  type ClientState,
  type ClientStateChange,
  type Dialling,
  LinkKeeper,
  type Log,
  type Outcome,
  type ParleyError,
  pause,
  type ReconnectPolicy,
  type Runtime,
} from "@parley/core/transport";
import type { Operation } from "./operation.ts";
import type { Session } from "./session.ts";

/** What a {@link Supervisor} is made from. */
export interface SupervisorInit {
  readonly program: string;
  /** Starts a child and makes it ready; the signal gives it up. Tells of the session as soon as there is one. */
  start(signal: AbortSignal, begun: (session: Session) => void): Promise<Session>;
  /** No attempts: a child that ends is not started again. */
  readonly reconnect: ReconnectPolicy;
  /** Resolves when the operations that are under way have ended. */
  underWay(): Promise<unknown>;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
}

/** What no further attempt can change: the command. */
const fatal: ReadonlySet<string> = new Set(["not_found", "permission_denied", "invalid_argument"]);

/** Children of one command, one after the other: the first is started when it is needed, the next when the one before ended unasked. */
export class Supervisor {
  readonly #init: SupervisorInit;
  readonly #keeper: LinkKeeper<Session>;
  /** Those whose children are not gone. */
  readonly #live = new Set<Session>();
  readonly #closed = Promise.withResolvers<ParleyError | undefined>();
  #session: Session | undefined;

  constructor(init: SupervisorInit) {
    const { program: peer, reconnect: policy, runtime, log } = init;
    this.#init = init;
    this.#keeper = new LinkKeeper({
      peer,
      dial: (signal, told) => this.#start(signal, told),
      shut: (session, graceMs) => this.#shut(session, graceMs),
      ping: () => undefined,
      mayRedial: ({ code }) => !fatal.has(code),
      ended: this.#closed.resolve,
      policy,
      runtime,
      log,
    });
  }

  get state(): ClientState {
    return this.#keeper.state;
  }

  get lastError(): ParleyError | undefined {
    return this.#keeper.lastError;
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
    return this.#keeper.onState(listener);
  }

  /** The session to speak with; starts the child, or waits until it is ready. */
  async open(operation: Operation): Promise<Session> {
    this.#keeper.begin();
    return this.#keeper.link ?? (await this.#opened(operation));
  }

  /** The session to read from: the last one as long as it has something to say, and forever once there will be no other. */
  async readable(operation: Operation): Promise<Session> {
    const session = this.#session;
    if (session && (session.exchange.unread || this.state === "closed")) return session;
    return await this.open(operation);
  }

  /** Lets what is under way end, within the grace, then ends the child; resolves when none is left. */
  async close(graceMs: number): Promise<void> {
    await this.#keeper.close(graceMs);
    await Promise.all([...this.#live].map(({ ended }) => ended));
  }

  #opened(operation: Operation): Promise<Session> {
    return operation.wait("was not ready", (resolve, reject) => {
      const waiter = { over: false, undo: (): Outcome => "not-sent", reject };
      this.#keeper.run(waiter, resolve);
      return () => void waiter.undo();
    });
  }

  async #start(signal: AbortSignal, { opened, lost }: Dialling<Session>): Promise<void> {
    const { start, reconnect } = this.#init;
    const session = await start(signal, (begun) => {
      this.#live.add(begun);
      void begun.ended.then(() => this.#live.delete(begun));
    });
    if (!signal.aborted) this.#session = session;
    opened(session);
    void session.ended.then(({ error, inOrder, asked }) =>
      lost(error, (asked || reconnect.maxAttempts === 0) && { reason: inOrder ? undefined : error }),
    );
  }

  async #shut(session: Session, graceMs: number): Promise<void> {
    const { underWay, runtime } = this.#init;
    if (graceMs > 0) {
      const over = new AbortController();
      void underWay().then(() => over.abort());
      await pause(graceMs, over.signal, runtime);
    }
    session.close();
    await session.ended;
  }
}
