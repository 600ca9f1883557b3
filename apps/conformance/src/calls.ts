import { ParleyError } from "@parley/core";
import {
  type CallKind,
  type Connection,
  createCall,
  type Envelope,
  type OwnedCall,
  PROFILE,
  type Reply,
  systemRuntime,
} from "@parley/core/transport";
import type { History } from "./history.ts";
import type { Random } from "./random.ts";
import { Finding, show } from "./witness.ts";

/** What can be chosen of a call. */
export interface CallOptions {
  /** `undefined` is absent data. */
  readonly data?: unknown;
  /** Attributes beside, or in place of, the usual ones; one that is `undefined` is left out. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Data of what the caller sends after the opener. */
  readonly input?: AsyncIterable<unknown> | Iterable<unknown>;
  /** Time it may take, ms. */
  readonly timeoutMs?: number;
  /** Cancelled before it is made. @default false */
  readonly cancelled?: boolean;
}

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

  constructor(history: History, random: Random) {
    this.#history = history;
    this.#random = random;
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
    connection: Connection,
    opener: Envelope,
    options: Pick<CallOptions, "input" | "timeoutMs" | "cancelled"> = {},
  ): Made {
    const { input, timeoutMs, cancelled = false } = options;
    const call = createCall({
      kind: opener.kind as CallKind, // made by `opener`
      message: opener,
      deadline: timeoutMs === undefined ? undefined : systemRuntime.now() + timeoutMs,
      input: input === undefined ? undefined : this.#items(opener, input),
    });
    this.#open.add(call);
    if (cancelled) call.abort(cancellation());
    this.#history.note("caller", `calls ${opener.type}`, { call: opener.id });
    const reply = this.#watch(connection, call);
    reply.catch(() => {});
    return { id: opener.id, opener, call, reply };
  }

  /** Makes a call. */
  make(connection: Connection, kind: CallKind, operation: string, options: CallOptions = {}): Made {
    return this.send(connection, this.opener(kind, operation, options), options);
  }

  /** A request's reply. */
  async request(connection: Connection, operation: string, options: CallOptions = {}): Promise<Envelope> {
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
    for (const call of this.#open) {
      call.abort(cancellation());
      call.settle();
    }
    this.#open.clear();
  }

  async #watch(connection: Connection, call: OwnedCall): Promise<Reply> {
    const { id } = call.message;
    try {
      const reply: Reply | undefined = await connection.call(call);
      if (typeof reply !== "object" || reply === null) {
        throw new Finding(`caller: the call ${id} resolved with ${show(reply)} in place of a Reply`);
      }
      this.#history.note("caller", reply.output ? "accepted" : "answered", { call: id });
      if (!reply.output) this.#done(call);
      return reply;
    } catch (error) {
      this.#done(call);
      throw this.#checked(error, id);
    }
  }

  async *#follow({ call, id }: Made, output: AsyncIterable<Envelope>): AsyncGenerator<Envelope, void, undefined> {
    let count = 0;
    try {
      for await (const item of output) {
        if (++count <= 20) this.#history.note("caller", `item ${count}`, { call: id });
        yield item;
      }
      this.#history.note("caller", `end after ${count} items`, { call: id });
    } catch (error) {
      throw this.#checked(error, id);
    } finally {
      this.#done(call);
    }
  }

  /** An error as the contract of `Invoke` allows it. */
  #checked(error: unknown, id: string): unknown {
    if (error instanceof ParleyError) {
      this.#history.note("caller", `fails: ${error.code} (${error.outcome})`, { call: id });
      return error;
    }
    this.#history.note("caller", `fails: ${show(error).slice(0, 80)}`, { call: id });
    if (error instanceof Finding) return error;
    return new Finding(`caller: a call fails only with a ParleyError\n  observed ${show(error)}`, { cause: error });
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
