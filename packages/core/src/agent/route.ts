import type { Call } from "../call/call.ts";
import { ParleyError, ValidationError } from "../call/error.ts";
import type { Reply } from "../call/interceptor.ts";
import type { Log } from "../call/log.ts";
import { answererItem, reply } from "../envelope/follow.ts";
import { operationType } from "../envelope/version.ts";
import { type Convert, receiving, sending } from "./conversion.ts";
import type { HandledCall } from "./handled-call.ts";
import { ItemReader } from "./item-reader.ts";
import { type Items, ItemWriter } from "./item-writer.ts";
import { andThen, isPromise, type Maybe } from "./maybe.ts";
import type { Operation, OperationKind } from "./operation.ts";
import { refusal } from "./refusal.ts";

/** A handler with its types forgotten. */
export type UntypedHandler = (input: unknown, call: HandledCall) => unknown;

/** How an agent answers one version of one operation. */
export interface Route {
  readonly kind: OperationKind;
  readonly type: string;
  readonly handler: UntypedHandler;
  /** The caller's data, or item, as the handler gets it. */
  readonly read: Convert;
  /** The handler's data, or item, as the caller gets it. */
  readonly write: Convert;
}

/** What answering takes beside the route. */
export interface RouteInit {
  readonly source: string;
  readonly log: Log | undefined;
}

/** Prepares answering one version of an operation. @param name of contract and operation, `text.summarize`. */
export function createRoute(name: string, operation: Operation, version: number, handler: UntypedHandler): Route {
  const { kind, input, output, previous } = operation;
  const type = operationType(name, version);
  const old = version === operation.version ? undefined : previous[version];
  const outcome = "rejected";
  return {
    kind,
    type,
    handler,
    read: receiving({ schema: input, cast: old?.input, what: `the input of ${type}`, outcome }),
    write: checkedOutput(type, sending({ schema: output, cast: old?.output, what: `the output of ${type}`, outcome })),
  };
}

/** Answers a call of the kinds that have an answer. A handler that answers at once costs no promise. */
export function answerRoute(route: Route, call: Call, handled: HandledCall, init: RouteInit): Maybe<Reply> {
  const { read, handler } = route;
  switch (call.kind) {
    case "request":
      return andThen(read(call.message.data), (input) => answerOnce(route, call, handler(input, handled), init));
    case "server-stream":
      return andThen(read(call.message.data), (input) => answerStream(route, call, handler(input, handled), init));
    case "client-stream":
      return answerOnce(route, call, handler(readItems(route, call), handled), init);
    case "bidi-stream":
      return answerStream(route, call, handler(readItems(route, call), handled), init);
    default:
      throw new ParleyError("invalid_argument", `a call of kind ${call.kind} has no answer`);
  }
}

function answerOnce({ write }: Route, call: Call, output: unknown, { source }: RouteInit): Maybe<Reply> {
  return andThen(output, (value) => andThen(write(value), (data) => ({ message: reply(call.message, source, data) })));
}

function answerStream({ write, type }: Route, call: Call, output: unknown, { source, log }: RouteInit): Maybe<Reply> {
  return andThen(output, (items) => {
    if (!isIterable(items)) throw new ParleyError("internal", `the handler of ${type} gave nothing to iterate`);
    const wrap = (data: unknown, position: number) => answererItem(call.message, source, position, data);
    return { output: new ItemWriter(items, { write, wrap, failed: (thrown) => refusal(thrown, call, log) }) };
  });
}

function readItems({ read, type }: Route, call: Call): AsyncIterable<unknown> {
  if (!call.input) {
    const why = "came without a stream of input";
    throw new ValidationError(`the call of ${type} ${why}`, [{ message: why, path: [] }]);
  }
  return new ItemReader(call, { items: call.input, read: (message, position) => read(message.data, position) });
}

function isIterable(items: unknown): items is Items<unknown> {
  return typeof items === "object" && items !== null && (Symbol.asyncIterator in items || Symbol.iterator in items);
}

/** An output that breaks the contract is the agent's fault, and its issues are the operator's business, not the caller's. */
function checkedOutput(type: string, write: Convert): Convert {
  const unfit = (thrown: unknown): never => {
    throw new ParleyError(
      "internal",
      `the answer of ${type} does not fit its contract; the option log of its agent tells why`,
      { cause: thrown },
    );
  };
  return (value, position) => {
    try {
      const data = write(value, position);
      return isPromise(data) ? data.catch(unfit) : data;
    } catch (thrown) {
      return unfit(thrown);
    }
  };
}
