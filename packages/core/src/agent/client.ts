import type { Call } from "../call/call.ts";
import { type Handler, type Interceptor, intercept } from "../call/interceptor.ts";
import type { Log } from "../call/log.ts";
import { attributeError } from "../envelope/attribute-error.ts";
import { attributeProblem } from "../envelope/attributes.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import type { AnnouncedOperation } from "../transport/hello.ts";
import type { CallOptions, SubscribeOptions } from "./call-options.ts";
import type { CallStorage } from "./call-storage.ts";
import { type Current, clientOperation } from "./client-operation.ts";
import { clientTopic } from "./client-topic.ts";
import type { Contract } from "./contract.ts";
import { invokeOf } from "./invoke-of.ts";
import type { Items } from "./item-writer.ts";
import type { Calling } from "./open-call.ts";
import type { Operation } from "./operation.ts";
import type { Received, Schema, Sent } from "./schema.ts";
import type { Params, Topic } from "./topic.ts";
import { negotiate } from "./version.ts";

/** What a caller passes: without an input, or with one that can be undefined, nothing is needed. */
type Arguments<Input> = undefined extends Input
  ? [input?: Input, options?: CallOptions]
  : [input: Input, options?: CallOptions];

/** What comes back; void where the contract has no output. */
// biome-ignore lint/suspicious/noConfusingVoidType: it is a return type.
type Result<Output> = Output extends Schema ? Received<Output> : void;

/** How an entry of a contract looks on a client. */
export type Member<Entry> =
  Entry extends Operation<"request", infer Input, infer Output>
    ? (...args: Arguments<Sent<Input>>) => Promise<Result<Output>>
    : Entry extends Operation<"notify", infer Input, undefined>
      ? (...args: Arguments<Sent<Input>>) => Promise<void>
      : Entry extends Operation<"server-stream", infer Input, infer Item>
        ? (...args: Arguments<Sent<Input>>) => AsyncIterable<Received<Item>>
        : Entry extends Operation<"client-stream", infer Item, infer Output>
          ? (items: Items<Sent<Item>>, options?: CallOptions) => Promise<Result<Output>>
          : Entry extends Operation<"bidi-stream", infer InputItem, infer OutputItem>
            ? (items: Items<Sent<InputItem>>, options?: CallOptions) => AsyncIterable<Received<OutputItem>>
            : Entry extends Topic<infer Path, infer Data>
              ? TopicClient<Path, Data>
              : never;

/** How a topic looks on a client. */
export interface TopicClient<Path extends string, Data extends Schema> {
  /**
   * Publishes to whoever subscribed. Resolves when the message is handed over, confirmed where the wire confirms.
   * @throws ValidationError `not-sent` for data that does not fit, or a parameter that a topic cannot hold.
   */
  publish(params: Params<Path>, data: Sent<Data>, options?: CallOptions): Promise<void>;
  /** Subscribes to the topics with these parameters; those left out match anything. Resolves when the very next publication would arrive. */
  subscribe(params?: Partial<Params<Path>>, options?: SubscribeOptions): Promise<Subscription<Path, Data>>;
}

/** What arrives at a subscriber. */
export interface Publication<Path extends string = string, Data extends Schema = Schema> {
  readonly data: Received<Data>;
  readonly params: Params<Path>;
  readonly topic: string;
  /** With the publisher's id, source, time and attributes. */
  readonly message: Envelope;
}

/**
 * A subscription that is active. Iterated once; leaving the loop, `close` and the signal end it. A reader who falls too far behind gets what
 * was kept for it and then the error `data_loss`.
 */
export interface Subscription<Path extends string = string, Data extends Schema = Schema>
  extends AsyncIterable<Publication<Path, Data>>,
    AsyncDisposable {
  readonly filter: string;
  /** Messages that did not fit the topic, and were passed over. */
  readonly refused: number;
  /** Nothing is delivered after it. Idempotent. */
  close(): Promise<void>;
}

/** Holds what {@link bind} needs of a client. Not enumerable. */
export const clientCore: unique symbol = Symbol.for("parley.client");

/**
 * A member per entry of the contract.
 *
 * - Requests and uploads give a promise, streams an async iterable; the call of a stream is made when iterating begins, once.
 * - Input is validated before anything is sent, output when it arrives: `ValidationError`.
 * - Every failure is a `ParleyError`, whose `outcome` says whether the agent may have acted.
 */
export type Client<C extends Contract = Contract> = {
  readonly [Name in keyof C["operations"]]: Member<C["operations"][Name]>;
} & { readonly [clientCore]: ClientCore<C> };

/** What a client is made of. */
export interface ClientCore<C extends Contract = Contract> {
  readonly contract: C;
  /** Prototype of clients bound to one call: a getter per member. */
  readonly bound: object;
}

/** What {@link client} takes. */
export interface ClientOptions {
  /** Around every call, the first outermost. */
  readonly use?: readonly Interceptor[] | undefined;
  /** Time for each call that has none of its own; not for the life of a subscription. @default none */
  readonly timeoutMs?: number | undefined;
  /** URI-reference of whoever calls; the `source` of its messages. @default "client" */
  readonly source?: string | undefined;
  /** Where calls made while another is handled find that one, so that they carry its flow, deadline and cancellation. */
  readonly storage?: CallStorage | undefined;
  /** What the peer announced: chooses versions, and refuses a peer that does not fit. Absent: the contract's present versions. */
  readonly operations?: Readonly<Record<string, AnnouncedOperation>> | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/**
 * A typed client over anything that answers calls: a connection's `call`, or an agent's `handle` in the same process.
 * @throws ParleyError `failed_precondition` when `operations` do not fit the contract, `invalid_argument` for a source that no message can have.
 */
export function client<C extends Contract>(contract: C, answer: Handler, options: ClientOptions = {}): Client<C> {
  const { use = [], timeoutMs, source = "client", storage, operations, log, runtime = systemRuntime } = options;
  const problem = attributeProblem("source", source);
  if (problem !== undefined) throw attributeError("source", source, problem, "not-sent");
  const calling: Calling = {
    answer: use.length === 0 ? answer : intercept(invokeOf(answer), use),
    source,
    timeoutMs,
    runtime,
    log,
  };
  const current: Current = storage ? () => storage.getStore() : () => undefined;
  const members = new Map(
    [...negotiate(contract, operations)].map(([key, version]) => [key, memberFor(calling, contract, key, version)]),
  );
  const made = Object.fromEntries([...members].map(([key, member]) => [key, member(current)]));
  const core: ClientCore<C> = { contract, bound: boundPrototype(members) };
  Object.defineProperty(made, clientCore, { value: core });
  Object.defineProperty(core.bound, clientCore, { value: core });
  // The members were made from the contract's entries, one each.
  return made as Client<C>;
}

/** The same client for calls that are made while `call` is handled. */
export function bind<C extends Contract>(remote: Client<C>, call: Call): Client<C> {
  return Object.create(remote[clientCore].bound, { [handledCall]: { value: call } }) as Client<C>;
}

const handledCall: unique symbol = Symbol.for("parley.handled-call");

type MemberFor = (current: Current) => unknown;

function memberFor(calling: Calling, { name, operations }: Contract, key: string, version: number): MemberFor {
  const entry = operations[key] as Operation | Topic;
  const full = `${name}.${key}`;
  return entry.kind === "topic"
    ? clientTopic(calling, full, entry, version)
    : clientOperation(calling, full, entry, version);
}

function boundPrototype(members: ReadonlyMap<string, MemberFor>): object {
  const getters = [...members].map(([key, member]): [string, PropertyDescriptor] => [
    key,
    {
      enumerable: true,
      get(this: { readonly [handledCall]: Call }) {
        const call = this[handledCall];
        return member(() => call);
      },
    },
  ]);
  return Object.create(null, Object.fromEntries(getters)) as object;
}
