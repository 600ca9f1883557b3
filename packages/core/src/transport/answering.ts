import type { AbortListener, Call } from "../call/call.ts";
import { ParleyError } from "../call/error.ts";
import type { Handler, Reply } from "../call/interceptor.ts";
import { leave } from "../call/leave.ts";
import type { Log, LogEntry } from "../call/log.ts";
import { report } from "../call/report.ts";
import type { CallKind, Envelope } from "../envelope/envelope.ts";

/** What sends the answer to one call on its wire. */
export interface Answerer extends AbortListener {
  /** The handler will answer later. */
  answerPending?(): void;
  /** The handler has answered. Must not throw. */
  answer(reply: Reply | undefined): void;
  /** The handler has thrown. */
  failed(thrown: unknown): void;
}

/** Runs the handler of a call. An answer that is there goes out at once; while one is waited for, the answerer is told if the call is aborted. */
export function runHandler(handler: Handler, call: Call, answerer: Answerer): void {
  try {
    const reply = handler(call);
    if (!isPromise(reply)) return answerer.answer(reply);
    call.onAbort(answerer);
    answerer.answerPending?.();
    reply.then(
      (late) => answerer.answer(late),
      (thrown: unknown) => answerer.failed(thrown),
    );
  } catch (thrown) {
    answerer.failed(thrown);
  }
}

/** Whether calls of this kind are handed over, and have no answer. */
export function isOneWay(kind: CallKind): boolean {
  return kind === "notify" || kind === "publish";
}

/** The answer to a call that has one. @throws ParleyError `internal` when the handler gave none */
export function messageOf({ message: { type } }: Call, reply: Reply | undefined): Envelope {
  if (reply?.message) return reply.message;
  throw new ParleyError("internal", `the handler of ${type} gave no reply message`);
}

/** The items of a call that has many. @throws ParleyError `internal` when the handler gave none */
export function outputOf({ message: { type } }: Call, reply: Reply | undefined): AsyncIterable<Envelope> {
  if (reply?.output) return reply.output;
  throw new ParleyError("internal", `the handler of ${type} gave no output`);
}

/** Nobody wants what a handler gave. */
export function leaveOutput(reply: Reply | undefined): void {
  try {
    if (reply?.output) leave(reply.output[Symbol.asyncIterator]());
  } catch {
    // No iterable after all; whoever gave it is told by other means.
  }
}

/** Tells the log why a call was not answered as it should be, unless another layer has. */
export function reportCall(
  log: Log | undefined,
  { kind, message: { type, id } }: Call,
  error: ParleyError,
  entry: Pick<LogEntry, "level" | "event"> = { level: "error", event: "handler-failed" },
): void {
  const cause = error.cause instanceof ParleyError ? `: ${error.cause.message}` : "";
  report(log, error, { ...entry, message: `${kind} ${type}: ${error.message}${cause}`, fields: { type, id } });
}

function isPromise(reply: Reply | Promise<Reply> | undefined): reply is Promise<Reply> {
  return typeof (reply as Partial<Promise<Reply>> | undefined)?.then === "function";
}
