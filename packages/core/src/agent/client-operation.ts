import type { Call } from "../call/call.ts";
import { ValidationError } from "../call/error.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { operationType } from "../envelope/version.ts";
import { type CallOptions, checkCallOptions } from "./call-options.ts";
import { type Convert, receiving, sending } from "./conversion.ts";
import { ItemStream } from "./item-stream.ts";
import type { Items } from "./item-writer.ts";
import { isPromise, type Maybe } from "./maybe.ts";
import { type Calling, type CallStart, missing, OpenCall } from "./open-call.ts";
import type { Operation, OperationKind } from "./operation.ts";

/** The call being handled just now, if the client knows of one. */
export type Current = () => Call | undefined;

/** A method of a client, once it knows where calls come from. */
export type MethodFor = (current: Current) => (input: unknown, options?: CallOptions) => unknown;

/** An operation as one client calls it, at the version it has agreed on with its peer. */
interface ClientOperation {
  readonly calling: Calling;
  readonly kind: OperationKind;
  readonly type: string;
  readonly idempotent: boolean;
  readonly write: Convert;
  readonly read: Convert;
}

/** Prepares calling an operation: all that does not differ from call to call. */
export function clientOperation(calling: Calling, name: string, operation: Operation, version: number): MethodFor {
  const { kind, previous, idempotent = false } = operation;
  const type = operationType(name, version);
  const old = version === operation.version ? undefined : previous[version];
  const streamed = kind === "client-stream" || kind === "bidi-stream";
  const prepared: ClientOperation = {
    calling,
    kind,
    type,
    idempotent,
    write: sending({
      schema: operation.input,
      cast: old?.input,
      what: `the input of ${type}`,
      outcome: streamed ? "unknown" : "not-sent",
    }),
    read: receiving({ schema: operation.output, cast: old?.output, what: `the output of ${type}`, outcome: "unknown" }),
  };
  const call = calls[kind];
  return (current) => (input, options) => call(prepared, current(), input, options);
}

type CallKindOf = (
  operation: ClientOperation,
  parent: Call | undefined,
  input: unknown,
  options: CallOptions | undefined,
) => unknown;

const calls: Readonly<Record<OperationKind, CallKindOf>> = {
  request: (operation, parent, input, options) =>
    withData(operation, input, (data) => ask(operation, start(operation, parent, options, data))),
  notify: (operation, parent, input, options) =>
    withData(operation, input, (data) => tell(operation.calling, start(operation, parent, options, data))),
  "client-stream": (operation, parent, input, options) =>
    settled(() => ask(operation, withItems(operation, parent, input, options))),
  "server-stream": (operation, parent, input, options) =>
    stream(operation, () => {
      const data = operation.write(input);
      const open = (ready: unknown): OpenCall =>
        new OpenCall(operation.calling, start(operation, parent, options, ready));
      return isPromise(data) ? data.then(open) : open(data);
    }),
  "bidi-stream": (operation, parent, input, options) =>
    stream(operation, () => new OpenCall(operation.calling, withItems(operation, parent, input, options))),
};

function start(
  { kind, type, idempotent }: ClientOperation,
  parent: Call | undefined,
  options: CallOptions | undefined,
  data: unknown,
): CallStart {
  if (options) checkCallOptions(options);
  return { kind, type, data, options, parent, idempotent };
}

function withItems(
  { kind, type, idempotent, write }: ClientOperation,
  parent: Call | undefined,
  items: unknown,
  options: CallOptions | undefined,
): CallStart {
  if (options) checkCallOptions(options);
  if (!isItems(items)) {
    const why = "must be an iterable or async iterable of items";
    throw new ValidationError(`the input of ${type} ${why}`, [{ message: why, path: [] }], { outcome: "not-sent" });
  }
  return { kind, type, data: undefined, options, parent, idempotent, input: { items, write } };
}

function isItems(items: unknown): items is Items<unknown> {
  return typeof items === "object" && items !== null && (Symbol.asyncIterator in items || Symbol.iterator in items);
}

/** Checks the input and goes on with it. Always answers by a promise. */
function withData(
  operation: ClientOperation,
  input: unknown,
  next: (data: unknown) => Promise<unknown>,
): Promise<unknown> {
  return settled(() => {
    const data = operation.write(input);
    return isPromise(data) ? data.then(next) : next(data);
  });
}

function settled(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return run();
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}

/** One answer is expected. */
function ask({ calling, type, read }: ClientOperation, callStart: CallStart): Promise<unknown> {
  const open = new OpenCall(calling, callStart);
  return open.answered().then(
    ({ message }): Maybe<unknown> => {
      open.close();
      if (!message) throw missing(type, "message");
      return read(message.data);
    },
    (error: unknown) => {
      open.close();
      throw error;
    },
  );
}

/** Makes a call that has no answer. Resolves when the message is handed over. */
export function tell(calling: Calling, callStart: CallStart): Promise<void> {
  const open = new OpenCall(calling, callStart);
  return open.answered().then(
    () => open.close(),
    (error: unknown) => {
      open.close();
      throw error;
    },
  );
}

function stream({ type, read }: ClientOperation, open: () => Maybe<OpenCall>): ItemStream {
  const readItem = (message: Envelope, position: number): Maybe<unknown> => read(message.data, position);
  return new ItemStream(type, open, readItem);
}
