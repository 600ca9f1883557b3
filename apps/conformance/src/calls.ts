import { ParleyError } from "@parley/core";
import {
  type CallKind,
  type Connection,
  type Context,
  createCall,
  type Envelope,
  type OwnedCall,
  PROFILE,
  type Reply,
  systemRuntime,
} from "@parley/core/transport";
import type { History } from "./history.ts";
import type { Random } from "./random.ts";
import { SeenCall } from "./seen.ts";
import { Finding, show } from "./witness.ts";

const MAX_SEEN = 2_000;

/** What can be chosen of a call. */
export interface CallOptions {
  /** `undefined` is absent data. */
  readonly data?: unknown;
  /** Attributes beside, or in place of, the usual ones; one that is `undefined` is left out. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Data of what the caller sends after the opener. */
  readonly input?: AsyncIterable<unknown> | Iterable<unknown>;
  /** Time it may take, ms. */
  readonly timeoutMs?: number | undefined;
  /** What the caller tells the layers below. */
  readonly context?: Context | undefined;
  /** Cancelled before it is made. @default false */
  readonly cancelled?: boolean;
}

/** What calls are made on: a connection, or what interceptors made of one. */
export type Callable = Pick<Connection, "call">;

/** A call that was made; `reply` is handled already, so leaving it alone is safe. */
export interface Made {
  readonly id: string;
  readonly opener: Envelope;
  readonly call: OwnedCall;
  readonly reply: Promise<Reply>;
}

/** Makes calls, keeps the caller's history of them, and knows what is still to be settled. */
export class Calls {
  readonly #history: History;
  readonly #random: Random;
  readonly #open = new Set<OwnedCall>();
  readonly #seen = new Map<OwnedCall, SeenCall>();
  #apart = false;
  #over = false;

  constructor(history: History, random: Random) {
    this.#history = history;
    this.#random = random;
  }

  /** What was seen of the calls so far, of those that every wire makes. */
  get seen(): readonly SeenCall[] {
    return [...this.#seen.values()];
  }

  /** Makes calls that only some wires make, or that end as only this wire ends them: not to be compared with other wires'. */
  async apart<Value>(run: () => Promise<Value>): Promise<Value> {
    const before = this.#apart;
    this.#apart = true;
    try {
      return await run();
    } finally {
      this.#apart = before;
    }
  }

  /** An opener as a strict sender writes it. */
  opener(kind: CallKind, operation: string, options: CallOptions = {}): Envelope {
    const { data, attributes = {} } = options;
    const envelope: Record<string, unknown> = {
      specversion: "1.0",
      parley: PROFILE,
      id: `c-${this.#random.hex(24)}`,
      source: "/conformance/caller",
      type: `conformance.${operation}.v1`,
      kind,
      time: new Date().toISOString(),
      ...attributes,
      ...(data === undefined ? {} : { data }),
    };
    for (const [name, value] of Object.entries(envelope)) if (value === undefined) delete envelope[name];
    return envelope as Envelope; // complete unless a scenario breaks it on purpose
  }

  /** Sends an opener made by hand. */
  send(
    connection: Callable,
    opener: Envelope,
    options: Pick<CallOptions, "input" | "timeoutMs" | "cancelled" | "context"> = {},
  ): Made {
    const { input, timeoutMs, cancelled = false, context } = options;
    const call = createCall({
      kind: opener.kind as CallKind, // made by `opener`
      message: opener,
      deadline: timeoutMs === undefined ? undefined : systemRuntime.now() + timeoutMs,
      input: input === undefined ? undefined : this.#items(opener, input),
      context,
    });
    this.#open.add(call);
    if (!this.#apart && this.#seen.size < MAX_SEEN) this.#seen.set(call, new SeenCall(opener));
    if (cancelled) call.abort(cancellation());
    this.#history.note("caller", `calls ${opener.type}`, { call: opener.id });
    const reply = this.#watch(connection, call);
    reply.catch(() => {});
    return { id: opener.id, opener, call, reply };
  }

  /** Makes a call. */
  make(connection: Callable, kind: CallKind, operation: string, options: CallOptions = {}): Made {
    return this.send(connection, this.opener(kind, operation, options), options);
  }

  /** A request's reply. */
  async request(connection: Callable, operation: string, options: CallOptions = {}): Promise<Envelope> {
    return this.message(this.make(connection, "request", operation, options));
  }

  /** The answer to a request or a client stream. */
  async message({ reply, id }: Made): Promise<Envelope> {
    const { message } = await reply;
    if (message === undefined) throw new Finding(`caller: the call ${id} resolved without a message`);
    return message;
  }

  /** The output of a call that was accepted. */
  async output(made: Made): Promise<AsyncIterable<Envelope>> {
    const { output } = await made.reply;
    if (typeof output?.[Symbol.asyncIterator] !== "function")
      throw new Finding(`caller: the call ${made.id} resolved without an output`);
    return this.#follow(made, output);
  }

  /** The error that a promise rejects with. */
  async error(what: string, promise: Promise<unknown>): Promise<ParleyError> {
    const result = await promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (!("error" in result))
      throw new Finding(`caller: ${what} must fail\n  observed it resolve with ${show(result.value)}`);
    if (result.error instanceof ParleyError) return result.error;
    if (result.error instanceof Finding) throw result.error;
    throw new Finding(`caller: ${what} must fail with a ParleyError\n  observed ${show(result.error)}`, {
      cause: result.error,
    });
  }

  /** Gives a call up, as its caller. */
  cancel({ call, id }: Made): void {
    this.#history.note("caller", "cancels", { call: id });
    call.abort(cancellation());
  }

  /** Settles what was left open. */
  settle(): void {
    this.#over = true;
    for (const call of this.#open) {
      call.abort(cancellation());
      call.settle();
    }
    this.#open.clear();
  }

  async #watch(connection: Callable, call: OwnedCall): Promise<Reply> {
    const { id } = call.message;
    try {
      const reply: Reply | undefined = await connection.call(call);
      if (typeof reply !== "object" || reply === null) {
        throw new Finding(`caller: the call ${id} resolved with ${show(reply)} in place of a Reply`);
      }
      this.#history.note("caller", reply.output ? "accepted" : "answered", { call: id });
      if (!reply.output) this.#saw(call)?.answered(reply.message);
      if (!reply.output) this.#done(call);
      return reply;
    } catch (error) {
      this.#done(call);
      throw this.#checked(error, call);
    }
  }

  async *#follow({ call, id }: Made, output: AsyncIterable<Envelope>): AsyncGenerator<Envelope, void, undefined> {
    let count = 0;
    try {
      for await (const item of output) {
        if (++count <= 20) this.#history.note("caller", `item ${count}`, { call: id });
        this.#saw(call)?.item(item);
        yield item;
      }
      this.#history.note("caller", `end after ${count} items`, { call: id });
      this.#saw(call)?.ended();
    } catch (error) {
      throw this.#checked(error, call);
    } finally {
      this.#done(call);
    }
  }

  /** An error as the contract of `Invoke` allows it. */
  #checked(error: unknown, call: OwnedCall): unknown {
    const { id } = call.message;
    if (error instanceof ParleyError) {
      this.#saw(call)?.failed(error);
      this.#history.note("caller", `fails: ${error.code} (${error.outcome})`, { call: id });
      return error;
    }
    this.#history.note("caller", `fails: ${show(error).slice(0, 80)}`, { call: id });
    if (error instanceof Finding) return error;
    return new Finding(`caller: a call fails only with a ParleyError\n  observed ${show(error)}`, { cause: error });
  }

  /** Where to note what is seen of a call; nothing once the scenario is over. */
  #saw(call: OwnedCall): SeenCall | undefined {
    return this.#over ? undefined : this.#seen.get(call);
  }

  #done(call: OwnedCall): void {
    call.settle();
    this.#open.delete(call);
  }

  async *#items(
    opener: Envelope,
    input: AsyncIterable<unknown> | Iterable<unknown>,
  ): AsyncGenerator<Envelope, void, undefined> {
    let seq = 0;
    for await (const data of input) {
      seq++;
      yield {
        specversion: "1.0",
        parley: PROFILE,
        id: `${opener.id}.c${seq}`,
        source: opener.source,
        type: opener.type,
        kind: "item",
        seq,
        ...(data === undefined ? {} : { data }),
      };
    }
  }
}

function cancellation(): ParleyError {
  return new ParleyError("cancelled", "the caller gave it up", { outcome: "unknown" });
}
