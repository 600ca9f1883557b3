import { type AbortListener, type Call, createLimitedAttempt, type LimitedAttempt } from "../call/call.ts";
import type { ParleyError } from "../call/error.ts";
import type { Invoke, Reply } from "../call/interceptor.ts";
import { leave } from "../call/leave.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** How long an attempt may take. */
export interface Limit {
  /** Instant at which it is given up. */
  readonly at: number;
  /** Whether it holds for the items of a stream too, or only until the peer has accepted. */
  readonly whole: boolean;
  /** What the error says. */
  readonly message: string;
  readonly runtime: Runtime;
}

/**
 * Makes an attempt at the call that is given up at an instant. Settles by then, or when the call is aborted, whatever `next` does; nothing
 * is aborted once there is an answer.
 */
export function invokeUntil(next: Invoke, call: Call, limit: Limit): Promise<Reply> {
  return new Promise((resolve, reject) => new LimitedCall(call, limit, resolve, reject).start(next));
}

/** Whether the call is answered by a stream of items. */
export function hasOutput({ kind }: Pick<Call, "kind">): boolean {
  return kind === "server-stream" || kind === "bidi-stream" || kind === "subscribe";
}

class LimitedCall implements AbortListener {
  readonly #whole: boolean;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: unknown) => void;
  readonly #attempt: LimitedAttempt;

  constructor(call: Call, limit: Limit, resolve: (reply: Reply) => void, reject: (error: unknown) => void) {
    const { at, whole, message, runtime } = limit;
    this.#whole = whole;
    this.#resolve = resolve;
    this.#reject = reject;
    // A peer that is told of a limit keeps it for the whole stream.
    const deadline = whole || !hasOutput(call) ? at : call.deadline;
    this.#attempt = createLimitedAttempt(call, { deadline, at, message }, runtime);
  }

  start(next: Invoke): void {
    this.#attempt.onAbort(this);
    if (this.#attempt.aborted) return;
    try {
      next(this.#attempt).then(this.#replied, this.#failed);
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  callAborted(reason: ParleyError): void {
    this.#reject(reason);
  }

  readonly #replied = (reply: Reply): void => {
    const attempt = this.#attempt;
    if (attempt.aborted) {
      if (reply?.output) leave(reply.output[Symbol.asyncIterator]());
      return;
    }
    if (!reply?.output) attempt.settle();
    else if (!this.#whole) attempt.lift();
    this.#resolve(reply);
  };

  readonly #failed = (thrown: unknown): void => {
    this.#attempt.settle();
    this.#reject(thrown);
  };
}
