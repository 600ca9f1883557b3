import type { Contract, Definitions } from "./contract.ts";
import type { HandledCall } from "./handled-call.ts";
import type { Items } from "./item-writer.ts";
import type { Operation } from "./operation.ts";
import type { Received, Schema, Sent } from "./schema.ts";

/** What a handler gives: the output before its schema has filled in defaults; nothing where the contract has none. */
// biome-ignore lint/suspicious/noConfusingVoidType: it is a return type, and must take whatever a handler without output returns.
type Answer<Output> = Output extends Schema ? Sent<Output> : void;

/** The handler of one operation. */
export type OperationHandler<Entry, C extends Contract> =
  Entry extends Operation<"request", infer Input, infer Output>
    ? (input: Received<Input>, call: HandledCall<C>) => Answer<Output> | Promise<Answer<Output>>
    : Entry extends Operation<"notify", infer Input, undefined>
      ? (input: Received<Input>, call: HandledCall<C>) => void | Promise<void>
      : Entry extends Operation<"server-stream", infer Input, infer Item>
        ? (input: Received<Input>, call: HandledCall<C>) => Items<Sent<Item>> | Promise<Items<Sent<Item>>>
        : Entry extends Operation<"client-stream", infer Item, infer Output>
          ? (items: AsyncIterable<Received<Item>>, call: HandledCall<C>) => Answer<Output> | Promise<Answer<Output>>
          : Entry extends Operation<"bidi-stream", infer InputItem, infer OutputItem>
            ? (
                items: AsyncIterable<Received<InputItem>>,
                call: HandledCall<C>,
              ) => Items<Sent<OutputItem>> | Promise<Items<Sent<OutputItem>>>
            : never;

type OperationName<Entries extends Definitions> = {
  [Name in keyof Entries]: Entries[Name] extends Operation ? Name : never;
}[keyof Entries];

/**
 * A handler per operation of the contract; topics need none. Called as methods of the object that holds them, which may be an instance
 * of a class.
 *
 * Input arrives validated, and so does every item. What a handler throws reaches the caller: a `ParleyError` as it is, anything else as
 * `internal`, without its text.
 */
export type Handlers<C extends Contract> = {
  readonly [Name in OperationName<C["operations"]>]: OperationHandler<C["operations"][Name], C>;
};
