import type { CallKind } from "../envelope/envelope.ts";
import type { Cast, InputCast, OutputCast, PreviousVersions } from "./cast.ts";
import type { Schema } from "./schema.ts";

/** Kinds of call that a contract's operations can be. Topics have the other two, `publish` and `subscribe`. */
export type OperationKind = Exclude<CallKind, "publish" | "subscribe">;

/** An operation of a contract. Made by {@link request} and its likes. */
export interface Operation<
  Kind extends OperationKind = OperationKind,
  Input extends Schema | undefined = Schema | undefined,
  Output extends Schema | undefined = Schema | undefined,
> {
  readonly kind: Kind;
  readonly version: number;
  /** Schema of what the caller sends: the message, or each item of its stream. */
  readonly input: Input;
  /** Schema of what the agent sends: the message, or each item of its stream. */
  readonly output: Output;
  /** Its effect may be had twice, so that a call of which nobody knows what it came to may be made again. */
  readonly idempotent?: boolean;
  readonly previous: PreviousVersions;
}

/** Without a schema: no data. */
type MaybeSchema = Schema | undefined;

/** Stands for "no older versions". */
type None = Record<never, never>;

interface Versioned {
  /** Major version. Raise it, and describe the one before in `previous`, when old callers would not understand. @default 1 */
  readonly version?: number | undefined;
  /**
   * Whether its effect may be had twice, as reading may, or setting to a value: then `retry` repeats a call also when it is unknown what it came
   * to, and `hedge` makes it twice. For the caller alone; nothing of it travels. @default false
   */
  readonly idempotent?: boolean | undefined;
}

type OldInputs<Old, Name extends string, Current> = {
  readonly [Version in keyof Old]: { readonly [Key in Name]?: InputCast<Old[Version], Current> };
};

type OldOutputs<Old, Name extends string, Current> = {
  readonly [Version in keyof Old]: { readonly [Key in Name]?: OutputCast<Old[Version], Current> };
};

/** What {@link request} takes. */
export interface RequestDefinition<Input, Output, OldInput, OldOutput> extends Versioned {
  /** Schema of the message. Absent: the operation takes no data. */
  readonly input?: Input;
  /** Schema of the answer. Absent: the answer has no data. */
  readonly output?: Output;
  /** Older versions by number: what differed, and how to get from one to the other. */
  readonly previous?: OldInputs<OldInput, "input", Input> & OldOutputs<OldOutput, "output", Output>;
}

// NoInfer: what a contract allows in general must not be taken for what was left out here.

/** An operation with one message and one answer. */
export function request<
  Input extends MaybeSchema = undefined,
  Output extends MaybeSchema = undefined,
  OldInput = None,
  OldOutput = None,
>(
  definition: RequestDefinition<Input, Output, OldInput, OldOutput>,
): Operation<"request", NoInfer<Input>, NoInfer<Output>> {
  const { input, output } = definition;
  return operation("request", input as Input, output as Output, definition);
}

/** What {@link notify} takes. */
export interface NotifyDefinition<Input, OldInput> extends Versioned {
  /** Schema of the message. Absent: the operation takes no data. */
  readonly input?: Input;
  /** Older versions by number: what differed, and how to get from one to the other. */
  readonly previous?: OldInputs<OldInput, "input", Input>;
}

/** An operation with one message and no answer: the caller learns that it was accepted, not what came of it. */
export function notify<Input extends MaybeSchema = undefined, OldInput = None>(
  definition: NotifyDefinition<Input, OldInput>,
): Operation<"notify", NoInfer<Input>, undefined> {
  return operation("notify", definition.input as Input, undefined, definition);
}

/** What {@link serverStream} takes. */
export interface ServerStreamDefinition<Input, Item extends Schema, OldInput, OldItem> extends Versioned {
  /** Schema of the message. Absent: the operation takes no data. */
  readonly input?: Input;
  /** Schema of each item that the agent sends. */
  readonly item: Item;
  /** Older versions by number: what differed, and how to get from one to the other. */
  readonly previous?: OldInputs<OldInput, "input", Input> & OldOutputs<OldItem, "item", Item>;
}

/** An operation with one message and a stream of items back. */
export function serverStream<
  Item extends Schema,
  Input extends MaybeSchema = undefined,
  OldInput = None,
  OldItem = None,
>(
  definition: ServerStreamDefinition<Input, Item, OldInput, OldItem>,
): Operation<"server-stream", NoInfer<Input>, Item> {
  return operation("server-stream", definition.input as Input, definition.item, definition, { output: "item" });
}

/** What {@link clientStream} takes. */
export interface ClientStreamDefinition<Item extends Schema, Output, OldItem, OldOutput> extends Versioned {
  /** Schema of each item that the caller sends. */
  readonly item: Item;
  /** Schema of the answer. Absent: the answer has no data. */
  readonly output?: Output;
  /** Older versions by number: what differed, and how to get from one to the other. */
  readonly previous?: OldInputs<OldItem, "item", Item> & OldOutputs<OldOutput, "output", Output>;
}

/** An operation with a stream of items from the caller and one answer. */
export function clientStream<
  Item extends Schema,
  Output extends MaybeSchema = undefined,
  OldItem = None,
  OldOutput = None,
>(
  definition: ClientStreamDefinition<Item, Output, OldItem, OldOutput>,
): Operation<"client-stream", Item, NoInfer<Output>> {
  return operation("client-stream", definition.item, definition.output as Output, definition, { input: "item" });
}

/** What {@link bidiStream} takes. */
export interface BidiStreamDefinition<InputItem extends Schema, OutputItem extends Schema, OldInput, OldOutput>
  extends Versioned {
  /** Schema of each item that the caller sends. */
  readonly inputItem: InputItem;
  /** Schema of each item that the agent sends. */
  readonly outputItem: OutputItem;
  /** Older versions by number: what differed, and how to get from one to the other. */
  readonly previous?: OldInputs<OldInput, "inputItem", InputItem> & OldOutputs<OldOutput, "outputItem", OutputItem>;
}

/** An operation with a stream of items each way, independent of each other. */
export function bidiStream<InputItem extends Schema, OutputItem extends Schema, OldInput = None, OldOutput = None>(
  definition: BidiStreamDefinition<InputItem, OutputItem, OldInput, OldOutput>,
): Operation<"bidi-stream", InputItem, OutputItem> {
  const { inputItem, outputItem } = definition;
  return operation("bidi-stream", inputItem, outputItem, definition, { input: "inputItem", output: "outputItem" });
}

/** Which keys of the definition hold the two sides. */
interface SideNames {
  readonly input?: string;
  readonly output?: string;
}

function operation<Kind extends OperationKind, Input extends MaybeSchema, Output extends MaybeSchema>(
  kind: Kind,
  input: Input,
  output: Output,
  {
    version = 1,
    idempotent = false,
    previous = {},
  }: Versioned & { readonly previous?: Readonly<Record<string, object>> },
  names: SideNames = {},
): Operation<Kind, Input, Output> {
  return { kind, version, input, output, idempotent, previous: readPrevious(previous, names) };
}

/** The older versions with their sides under the names `input` and `output`. */
export function readPrevious(previous: Readonly<Record<string, object>>, names: SideNames): PreviousVersions {
  return Object.fromEntries(
    Object.entries(previous).map(([version, sides]) => {
      // Contracts are checked when they are made, casts included.
      const casts = sides as Readonly<Record<string, Cast | undefined>>;
      return [version, { input: casts[names.input ?? "input"], output: casts[names.output ?? "output"] }];
    }),
  );
}
