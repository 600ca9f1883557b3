import {
  cancelled,
  durationOption,
  type OperationOptions,
  type Outcome,
  type ParleyError,
  type Runtime,
  TransportError,
  withOutcome,
} from "@parley/core/transport";

/** What {@link operate} needs. */
export interface OperationInit extends OperationOptions {
  /** Who is waited for, as errors name it. */
  readonly program: string;
  readonly runtime: Pick<Runtime, "now" | "deadlines">;
}

/** Something that a caller waits for, in one or several steps, until its time is up or the caller gives up. */
export class Operation {
  /** What is to be said of its effect, should it fail now. */
  outcome: Outcome = "not-sent";
  #error: ParleyError | undefined;
  #lacking = "was not ready";
  #reject: ((error: ParleyError) => void) | undefined;

  /** Why it was given up. */
  get error(): ParleyError | undefined {
    return this.#error;
  }

  /** What the peer has not done so far, as an error says it. */
  get lacking(): string {
    return this.#lacking;
  }

  /**
   * One step. `start` says how it may end, and gives back what undoes it: that runs in any case. Steps follow each other.
   * @param lacking what the peer has not done if it is given up in this step
   */
  async wait<Value>(
    lacking: string,
    start: (resolve: (value: Value) => void, reject: (error: ParleyError) => void) => () => void,
  ): Promise<Value> {
    if (this.#error) throw this.#error;
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    this.#lacking = lacking;
    this.#reject = reject;
    const leave = start(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#reject = undefined;
      leave();
    }
  }

  giveUp(error: ParleyError): void {
    this.#error ??= error;
    this.#reject?.(this.#error);
  }
}

/** Runs an operation within its time, and until its signal; leaves neither timer nor listener. */
export async function operate<Value>(
  init: OperationInit,
  run: (operation: Operation) => Promise<Value>,
): Promise<Value> {
  const { signal, program, runtime } = init;
  const timeoutMs = init.timeoutMs === undefined ? undefined : durationOption("timeoutMs", init.timeoutMs);
  if (signal?.aborted) throw withOutcome(cancelled(signal.reason, "not-sent"), "not-sent");
  const operation = new Operation();
  const abort = (): void =>
    operation.giveUp(withOutcome(cancelled(signal?.reason, operation.outcome), operation.outcome));
  const onDeadline = (): void => {
    const message = `${program} ${operation.lacking} within ${timeoutMs} ms`;
    operation.giveUp(new TransportError("deadline_exceeded", message, { outcome: operation.outcome }));
  };
  const watched =
    timeoutMs === undefined ? undefined : runtime.deadlines.add(runtime.now() + timeoutMs, { onDeadline });
  signal?.addEventListener("abort", abort);
  try {
    return await run(operation);
  } finally {
    signal?.removeEventListener("abort", abort);
    if (watched) runtime.deadlines.remove(watched);
  }
}
