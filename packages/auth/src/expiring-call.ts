import {
  type AbortListener,
  type Call,
  createAttempt,
  type Envelope,
  type Invoke,
  type OwnedCall,
  type ParleyError,
  type Reply,
  type Runtime,
} from "@parley/core";

/** When a call is given up, and what is told then. */
export interface Expiry {
  /** On the runtime's monotonic clock, ms. */
  readonly at: number;
  readonly error: () => ParleyError;
  readonly runtime: Runtime;
}

/** Makes a call that is given up at an instant, wherever it is then: without an answer it fails, and its stream ends, with the error. */
export function invokeUntil(next: Invoke, call: Call, { at, error, runtime }: Expiry): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const attempt = createAttempt(call, {}, runtime);
    const watched = runtime.deadlines.add(at, { onDeadline: () => attempt.abort(error()) });
    const unwatch = (): void => runtime.deadlines.remove(watched);
    attempt.onAbort({
      callAborted(reason) {
        unwatch();
        reject(reason);
      },
      callSettled: unwatch,
    });
    next(attempt).then(
      ({ message, output }) => {
        const items = output && new ExpiringItems(output[Symbol.asyncIterator](), attempt);
        if (attempt.aborted) return void items?.return();
        // A stream goes on until its reader is done with the call.
        if (!items) attempt.settle();
        resolve({ message, output: items });
      },
      (thrown: unknown) => {
        attempt.settle();
        reject(thrown);
      },
    );
  });
}

/** Items that end with the reason once the call is given up, whatever who makes them does then. Read one at a time. */
class ExpiringItems implements AsyncIterableIterator<Envelope>, AbortListener {
  readonly #items: AsyncIterator<Envelope>;
  readonly #attempt: OwnedCall;
  #waiting: ((reason: ParleyError) => void) | undefined;

  constructor(items: AsyncIterator<Envelope>, attempt: OwnedCall) {
    this.#items = items;
    this.#attempt = attempt;
    attempt.onAbort(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Envelope>> {
    const { aborted } = this.#attempt;
    if (aborted) return Promise.reject(aborted);
    return new Promise((resolve, reject) => {
      this.#waiting = reject;
      this.#items.next().then(resolve, reject);
    });
  }

  return(): Promise<IteratorResult<Envelope>> {
    this.#attempt.settle();
    return this.#items.return?.() ?? Promise.resolve({ done: true, value: undefined });
  }

  callAborted(reason: ParleyError): void {
    this.#waiting?.(reason);
    // What it throws then is nobody's any more.
    this.#items.return?.().then(undefined, () => {});
  }
}
