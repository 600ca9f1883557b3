import { type AbortListener, type Call, createCall, type OwnedCall } from "../call/call.ts";
import type { Context } from "../call/context.ts";
import { cancelled, errorFor, ParleyError, toParleyError } from "../call/error.ts";
import type { Handler, Reply } from "../call/interceptor.ts";
import { leave } from "../call/leave.ts";
import type { Log } from "../call/log.ts";
import { callerItem } from "../envelope/follow.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CallOptions } from "./call-options.ts";
import type { Convert } from "./conversion.ts";
import { type Items, ItemWriter } from "./item-writer.ts";
import { isPromise } from "./maybe.ts";
import { createOpener, deadlineFor, type OpenerInit } from "./opener.ts";

/** What all calls of a client share. */
export interface Calling {
  readonly answer: Handler;
  readonly source: string;
  readonly timeoutMs: number | undefined;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
}

/** What one call of a client starts from. */
export interface CallStart extends OpenerInit {
  readonly options: CallOptions | undefined;
  /** The call during whose handling this one is made. */
  readonly parent: Call | undefined;
  /** Its operation is declared so. @default false */
  readonly idempotent?: boolean | undefined;
  /** The caller's items, and how they are checked. */
  readonly input?: { readonly items: Items<unknown>; readonly write: Convert };
  /** Lives until it is left: `timeoutMs` is not for its whole life. */
  readonly endless?: boolean;
  /** What those who carry the call are told of it. @default a new one */
  readonly context?: Context | undefined;
  /** Whether the peer may have seen any of it: what is given up before is `not-sent`. @default always */
  readonly wasSent?: () => boolean;
}

/** A call that a client has under way: the call itself, and what must be cleared away after it. */
export class OpenCall {
  readonly call: OwnedCall;
  readonly #answer: Handler;
  readonly #input: ItemWriter | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #wasSent: () => boolean;

  /** @throws ParleyError `not-sent` when it is cancelled or too late already, or its options make no sense. */
  constructor({ answer, source, timeoutMs, runtime }: Calling, start: CallStart) {
    const { kind, options, parent, idempotent, input, context, wasSent = () => true } = start;
    const signal = options?.signal;
    if (signal?.aborted) throw notSent(cancelled(signal.reason, "not-sent"));
    if (parent?.aborted) throw notSent(parent.aborted);
    const deadline = deadlineFor(start.endless ? undefined : (options?.timeoutMs ?? timeoutMs), parent, runtime);
    const message = createOpener(start, source, runtime, options, parent);
    this.#answer = answer;
    this.#wasSent = wasSent;
    this.#input =
      input &&
      new ItemWriter(input.items, {
        write: input.write,
        wrap: (data, position) => callerItem(message, source, position, data),
        failed: (thrown, part) => this.#inputFailed(thrown, part),
      });
    this.call = createCall({ kind, message, input: this.#input, deadline, idempotent, parent, context }, runtime);
    this.#signal = signal;
    signal?.addEventListener("abort", this.#cancel);
  }

  /** Makes the call. Settles with it, and at the latest when it is aborted, whatever the transport does. */
  answered(): Promise<Reply> {
    const { call } = this;
    return new Promise((resolve, reject) => {
      const listener: AbortListener = {
        callAborted: (reason) => reject(this.#wasSent() ? reason : notSent(reason)),
      };
      call.onAbort(listener);
      const failed = (thrown: unknown): void => reject(ownFault(thrown, call.message.type));
      const settle = (reply: Reply | undefined): void => {
        call.offAbort(listener);
        // From an interceptor that forgets to return.
        if (typeof reply !== "object") return failed(new TypeError(`expected a reply, got ${reply}`));
        if (call.aborted && reply.output) leave(reply.output[Symbol.asyncIterator]());
        resolve(reply);
      };
      try {
        const reply = this.#answer(call);
        if (isPromise(reply)) reply.then(settle, failed);
        else settle(reply);
      } catch (thrown) {
        failed(thrown);
      }
    });
  }

  /** Gives the call up; the peer is told. */
  abort(reason: ParleyError): void {
    this.call.abort(reason);
    this.close();
  }

  /** The call is over: nothing of it stays behind. May be called twice. */
  close(): void {
    this.call.settle();
    this.#signal?.removeEventListener("abort", this.#cancel);
    this.#input?.return();
  }

  readonly #cancel = (): void => {
    this.call.abort(cancelled(this.#signal?.reason, "unknown"));
  };

  /** The caller's own input failed, or has an item that must not leave: the call is given up. */
  #inputFailed(thrown: unknown, part: "items" | "check"): ParleyError {
    const error = part === "check" ? toParleyError(thrown) : inputFailure(thrown, this.call.message.type);
    this.call.abort(error);
    return error;
  }
}

/** What was thrown on this side of the call, by an interceptor or the function that carries it: the peer has no part in it. */
export function ownFault(thrown: unknown, type: string): ParleyError {
  if (thrown instanceof ParleyError) return thrown;
  const message = `the call of ${type} failed on this side: an interceptor threw, or returned no reply`;
  return new ParleyError("internal", message, { outcome: "unknown", cause: thrown });
}

/** The reason for which a reader leaves a stream before its end. One for all: breaking out of a loop is nothing extraordinary. */
export const leftEarly: ParleyError = new ParleyError("cancelled", "the caller left the stream before its end", {
  outcome: "unknown",
});

/** The peer, or an interceptor, answered with something else than this kind of call has for an answer. */
export function missing(type: string, what: "message" | "output"): ParleyError {
  return new ParleyError(
    "internal",
    `the call of ${type} was answered without ${what === "message" ? "a message" : "a stream"}`,
    {
      outcome: "unknown",
    },
  );
}

function notSent({ code, message, retryAfterMs, details, cause }: ParleyError): ParleyError {
  return errorFor(code, message, { outcome: "not-sent", retryAfterMs, details, cause });
}

/** What the user's iterable threw says nothing of the effect of this call. */
function inputFailure(cause: unknown, type: string): ParleyError {
  if (cause instanceof ParleyError)
    return errorFor(cause.code, cause.message, { outcome: "unknown", details: cause.details, cause });
  return new ParleyError("cancelled", `the input for ${type} failed`, { outcome: "unknown", cause });
}
