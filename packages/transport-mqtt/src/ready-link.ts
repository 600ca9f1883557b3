import { cancelled, type ParleyError, withOutcome } from "@parley/core/transport";
import type { Link } from "./link.ts";
import { stalled } from "./link-error.ts";
import type { LinkInit } from "./link-init.ts";

/** What {@link readyLink} takes. */
export interface ReadyInit extends Pick<LinkInit, "url" | "connectTimeoutMs" | "runtime" | "signal"> {
  /** When dialling began, on the runtime's clock. */
  readonly begun: number;
}

/**
 * Does with a new link what has to be done before it is of use, within what is left of the time to connect.
 * @param ready gets a signal of when it is given up: the time is over, the caller has left, or the link is lost
 * @throws ParleyError `not-sent`, what `ready` fails with among others; the link is closed then
 */
export async function readyLink<Value>(
  link: Link,
  { url, connectTimeoutMs, runtime, signal, begun }: ReadyInit,
  ready: (givenUp: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const giveUp = (error: ParleyError): void => {
    controller.abort(error);
    link.drop(error);
  };
  const abort = (): void => giveUp(cancelled(signal?.reason, "not-sent"));
  const left = Math.max(0, begun + connectTimeoutMs - runtime.now());
  const cancelTimer = runtime.setTimer(() => giveUp(stalled(url, connectTimeoutMs)), left);
  signal?.addEventListener("abort", abort);
  void link.closed.then(giveUp);
  try {
    if (signal?.aborted) abort();
    const value = await ready(controller.signal);
    controller.signal.throwIfAborted();
    return value;
  } catch (error) {
    const cause = link.isOpen ? error : withOutcome(await link.closed, "not-sent");
    await link.close();
    throw cause;
  } finally {
    cancelTimer();
    signal?.removeEventListener("abort", abort);
  }
}
