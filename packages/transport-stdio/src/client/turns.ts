import { type ParleyError, TransportError, withOutcome } from "@parley/core/transport";
import type { ExchangeInit } from "./exchange.ts";
import type { Operation } from "./operation.ts";

/** The place of a reader among those who are served in their order. */
export interface Turn<Want, Answer> {
  readonly want: Want;
  readonly operation: Operation;
  readonly fail: (error: ParleyError) => void;
  /** Whether something was written for it, which will be answered. */
  readonly asked: boolean;
  /** Absent: nobody waits for it any more. */
  take: ((answer: Answer) => void) | undefined;
}

/**
 * Those who wait for what a program writes, in the order of their questions: it answers each in turn, without saying which. One who has asked
 * and then gave up keeps the place, so that the late answer is not taken for the next.
 */
export class Turns<Want, Answer> {
  readonly #init: Pick<ExchangeInit, "program" | "outbox" | "maxCalls" | "counts">;
  readonly #turns = new Set<Turn<Want, Answer>>();
  readonly #freed = new Set<() => void>();

  constructor(init: Pick<ExchangeInit, "program" | "outbox" | "maxCalls" | "counts">) {
    this.#init = init;
  }

  /** Whose turn it is; nobody's while the question has not left. */
  get first(): Turn<Want, Answer> | undefined {
    const [turn] = this.#turns;
    return turn?.operation.outcome === "not-sent" ? undefined : turn;
  }

  /** Whether a question has not been answered. */
  get busy(): boolean {
    return [...this.#turns].some(({ asked }) => asked);
  }

  /** Waits until one has been; another may have been asked since. */
  freed(operation: Operation): Promise<void> {
    return operation.wait("did not answer what was asked before", (resolve) => {
      this.#freed.add(resolve);
      return () => this.#freed.delete(resolve);
    });
  }

  /** Waits for a turn, and for what `settle` gives it. With a question it is written first. */
  wait(want: Want, operation: Operation, question?: Buffer): Promise<Answer> {
    const { program, outbox, maxCalls } = this.#init;
    if (this.#turns.size >= maxCalls) {
      const problem = `${this.#turns.size} wait for answers of ${program}, the most that maxCalls permits`;
      throw new TransportError("resource_exhausted", problem, { outcome: "not-sent" });
    }
    return operation.wait("did not answer", (take, fail) => {
      const turn: Turn<Want, Answer> = { want, operation, asked: question !== undefined, fail, take };
      const failed = (error: ParleyError): void => {
        this.#remove(turn);
        fail(error);
      };
      const withdraw = question && outbox.post({ bytes: question, operation, taken() {}, failed });
      if (!question) operation.outcome = "unknown";
      this.#turns.add(turn);
      return () => {
        withdraw?.();
        turn.take = undefined;
        if (!question || operation.outcome === "not-sent") this.#remove(turn);
      };
    });
  }

  /** Gives a turn what it waits for. */
  settle(turn: Turn<Want, Answer>, answer: Answer): void {
    this.#remove(turn);
    if (turn.take) turn.take(answer);
    else this.#init.counts.lateMessages++;
  }

  /** Fails who waits; the place of a question is kept. */
  disappoint(turn: Turn<Want, Answer>, error: ParleyError): void {
    if (!turn.asked) this.#remove(turn);
    turn.take = undefined;
    turn.fail(error);
  }

  /** Nobody will get anything any more. */
  finish(error: ParleyError): void {
    for (const { fail, operation } of this.#turns) fail(withOutcome(error, operation.outcome));
    this.#turns.clear();
    this.#wake();
  }

  #remove(turn: Turn<Want, Answer>): void {
    this.#turns.delete(turn);
    this.#wake();
  }

  /** All of them: the first may have given up. */
  #wake(): void {
    for (const resolve of this.#freed) resolve();
  }
}
