import { type ParleyError, type Runtime, TransportError } from "@parley/core/transport";
import type { Child, OpenChild } from "../child.ts";
import { type ChildEnd, endError } from "../child-error.ts";
import type { Exchange, ExchangeInit } from "./exchange.ts";
import { Outbox } from "./outbox.ts";

/** Time that a child has to exit, once it has closed a pipe, before those who wait are told no more than that, ms. */
const LAST_WORDS_MS = 200;
/** Time that a child has after its stdin ended when what it wrote could not be read, ms. */
const FAILED_EXIT_MS = 200;

/** What a {@link Session} is made from. */
export interface SessionInit extends Omit<ExchangeInit, "outbox" | "flow" | "fail"> {
  readonly maxQueuedBytes: number;
  readonly runtime: Runtime;
  exchange(init: ExchangeInit): Exchange;
}

/** How a session ended. */
export interface SessionEnd {
  readonly error: ParleyError;
  /** The child exited with 0, or the client was closed. */
  readonly inOrder: boolean;
  /** The client was closed, or its stdin ended by its user. */
  readonly asked: boolean;
}

/** One child, from its start to its end, and what is said to it. */
export class Session {
  readonly exchange: Exchange;
  /** Resolves when the child is gone, with its group. */
  readonly ended: Promise<SessionEnd>;
  readonly #init: SessionInit;
  readonly #child: Child;
  readonly #outbox: Outbox;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  readonly #cancelTimers: (() => void)[] = [];
  #asked = false;
  #finished = false;
  #verdict: Pick<SessionEnd, "error" | "inOrder"> | undefined;

  constructor(open: OpenChild, init: SessionInit) {
    this.#init = init;
    this.ended = this.#ended.promise;
    this.#child = open({
      data: (chunk) => {
        if (!this.#finished) this.exchange.data(chunk);
      },
      outputEnded: () => this.#falter("stdout", (error) => this.#finish(error, true)),
      inputLost: () => this.#falter("stdin", (error) => this.#outbox.lose(error)),
      ended: (end) => this.#end(end),
    });
    this.#outbox = new Outbox(this.#child.stdin, init);
    this.exchange = init.exchange({
      ...init,
      outbox: this.#outbox,
      flow: this.#child,
      fail: (error) => this.#fail(error),
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The end of what the child has written to stderr. */
  stderr(): string {
    return this.#child.stderr();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the child's stdin after what waits. */
  endInput(): void {
    this.#asked = true;
    this.#outbox.end();
  }

  /** Ends the child; those who wait are told so. */
  close(): void {
    this.#asked = true;
    const problem = `the client of ${this.#init.program} was closed`;
    this.#settle(new TransportError("unavailable", problem, { outcome: "unknown" }), true);
    this.#child.end();
  }

  #fail(error: ParleyError): void {
    this.#settle(error, false);
    this.#child.end(FAILED_EXIT_MS);
  }

  /** Decides what the session ends with, whatever the child does then. */
  #settle(error: ParleyError, inOrder: boolean): void {
    this.#verdict ??= { error, inOrder };
    this.#finish(error, inOrder);
  }

  /** A pipe was closed. Most often the child is about to end, and how it does says more. */
  #falter(pipe: "stdin" | "stdout", otherwise: (error: ParleyError) => void): void {
    const { program, runtime } = this.#init;
    this.#outbox.hold();
    const tell = (): void => {
      const problem = `${program} has closed its ${pipe}, and runs on`;
      otherwise(new TransportError("unavailable", problem, { outcome: "unknown" }));
    };
    this.#cancelTimers.push(runtime.setTimer(tell, LAST_WORDS_MS));
  }

  #end(end: ChildEnd): void {
    for (const cancelTimer of this.#cancelTimers) cancelTimer();
    const { error, inOrder } = this.#verdict ?? {
      error: endError(this.#init.program, end),
      inOrder: end.exitCode === 0,
    };
    this.#finish(error, inOrder);
    this.#ended.resolve({ error, inOrder, asked: this.#asked });
  }

  /** Nothing more is said: those who wait are told why. */
  #finish(error: ParleyError, inOrder: boolean): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#outbox.lose(error);
    this.exchange.finish(error, inOrder);
  }
}
