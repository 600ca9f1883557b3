import {
  bidiStream,
  type Contract,
  clientStream,
  contract,
  notify,
  type Operation,
  request,
  type Schema,
  serverStream,
  type Topic,
  topic,
} from "@parley/core";

/** A schema that takes anything, so that what arrives is what was sent. */
export const anything: Schema = {
  "~standard": { version: 1, vendor: "parley-conformance", validate: (value) => ({ value }) },
};

type Request = Operation<"request", Schema, Schema>;
type ServerStream = Operation<"server-stream", Schema, Schema>;

const cast = { schema: anything, upcast: (value: unknown) => value, downcast: (value: unknown) => value };

/** An echo that is there in all versions from `first` to `last`, all of one form. */
export function versioned(first: number, last: number): Request {
  const older = Array.from({ length: last - first }, (_, at) => [first + at, { input: cast, output: cast }]);
  return { ...request({ input: anything, output: anything, version: last }), previous: Object.fromEntries(older) };
}

const call: Request = request({ input: anything, output: anything });
const stream: ServerStream = serverStream({ input: anything, item: anything });

/** What the fixture answers. How each operation behaves stands with its handler. */
export const conformance: Contract<{
  readonly echo: Request;
  readonly nothing: Operation<"request", Schema, undefined>;
  readonly repeat: Request;
  readonly gate: Request;
  readonly delay: Request;
  readonly stall: Request;
  readonly context: Request;
  readonly fail: Request;
  readonly throw: Request;
  readonly callback: Request;
  readonly digest: Request;
  readonly deliver: Request;
  readonly tally: Request;
  readonly sink: Request;
  readonly door: Request;
  readonly newer: Request;
  readonly older: Request;
  readonly note: Operation<"notify", Schema, undefined>;
  readonly count: ServerStream;
  readonly list: ServerStream;
  readonly mixed: ServerStream;
  readonly flood: ServerStream;
  readonly upload: Operation<"client-stream", Schema, Schema>;
  readonly intake: Operation<"client-stream", Schema, Schema>;
  readonly chat: Operation<"bidi-stream", Schema, Schema>;
  readonly typed: Topic<"typed/{name}", Schema>;
}> = contract("conformance", {
  echo: call,
  nothing: request({ input: anything }),
  repeat: call,
  gate: call,
  delay: call,
  stall: call,
  context: call,
  fail: call,
  throw: call,
  callback: call,
  digest: call,
  deliver: call,
  tally: call,
  sink: call,
  door: call,
  newer: versioned(2, 5),
  older: versioned(1, 3),
  note: notify({ input: anything }),
  count: stream,
  list: stream,
  mixed: stream,
  flood: stream,
  upload: clientStream({ item: anything, output: anything }),
  intake: clientStream({ item: anything, output: anything }),
  chat: bidiStream({ inputItem: anything, outputItem: anything }),
  typed: topic({ path: "typed/{name}", data: anything }),
});

/** What the fixture calls on whoever called it. */
export const callerContract: Contract<{ readonly answer: Request }> = contract("caller", { answer: call });
