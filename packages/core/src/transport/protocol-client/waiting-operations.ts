import { type ParleyError, TransportError } from "../../call/error.ts";
import type { CancelTimer, Runtime } from "../../runtime/runtime.ts";
import type { Operation } from "./operation.ts";

/** What waits for a link: an {@link Operation}, or what is like it. */
export interface Waiter extends Pick<Operation<never>, "over" | "undo"> {
  reject(error: ParleyError): void;
}

/** What {@link WaitingOperations} is made from. */
export interface WaitingOperationsInit {
  /** To whom the link leads, as errors name it. */
  readonly peer: string;
  readonly maxWaiting: number;
  /** How long one waits while the link comes back, ms. */
  readonly waitMs: number;
  readonly runtime: Runtime;
  /** Why there is no link at present. */
  reason(): ParleyError | undefined;
  /** Nobody waits any more, since the last one has given up. */
  abandoned(): void;
}

interface Waiting<Link> {
  readonly go: (link: Link) => void;
  readonly fail: (error: ParleyError) => void;
}

/** Operations that wait for a link, in their order and bounded. Nothing of them has been sent. */
export class WaitingOperations<Link> {
  readonly #init: WaitingOperationsInit;
  readonly #waiting = new Set<Waiting<Link>>();

  constructor(init: WaitingOperationsInit) {
    this.#init = init;
  }

  /**
   * Lets an operation wait; one too many fails with `resource_exhausted`. Returns whether it waits.
   * @param limited whether it waits no longer than `waitMs`; then it fails with `unavailable`
   */
  add(waiter: Waiter, send: (link: Link) => void, failed: (error: ParleyError) => void, limited: boolean): boolean {
    const { peer, maxWaiting, abandoned } = this.#init;
    if (this.#waiting.size >= maxWaiting) {
      failed(this.#error("resource_exhausted", `${maxWaiting} operations wait for a connection to ${peer} already`));
      return false;
    }
    const leave = (): void => {
      cancelTimer?.();
      this.#waiting.delete(waiting);
    };
    const waiting: Waiting<Link> = {
      go: (link) => {
        leave();
        send(link);
      },
      fail: (error) => {
        leave();
        failed(error);
      },
    };
    const cancelTimer = limited ? this.#limit(waiting) : undefined;
    waiter.undo = () => {
      leave();
      if (this.#waiting.size === 0) abandoned();
      return "not-sent";
    };
    this.#waiting.add(waiting);
    return true;
  }

  /** There is a link: makes them, as long as it is the one that is used. */
  serve(link: Link, isUsed: () => boolean): void {
    for (const waiting of [...this.#waiting]) {
      // One of them may have found the link broken: the others wait for the next.
      if (!isUsed()) return;
      waiting.go(link);
    }
  }

  /** There will be no link. */
  fail(error: ParleyError): void {
    for (const waiting of [...this.#waiting]) waiting.fail(error);
  }

  #limit(waiting: Waiting<Link>): CancelTimer {
    const { peer, waitMs, runtime, reason } = this.#init;
    return runtime.setTimer(() => {
      const why = reason();
      const late = `the connection to ${peer} did not come back within ${waitMs} ms${why ? `: ${why.message}` : ""}`;
      waiting.fail(this.#error("unavailable", late));
    }, waitMs);
  }

  #error(code: "resource_exhausted" | "unavailable", message: string): ParleyError {
    return new TransportError(code, message, { outcome: "not-sent", cause: this.#init.reason() });
  }
}
