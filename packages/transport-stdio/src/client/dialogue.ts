import { type EffectOptions, type OperationOptions, ParleyError, TransportError } from "@parley/core/transport";
import type { StdioFormat, StdioFormats } from "./formats.ts";
import type { JsonRpcMessage } from "./json-rpc.ts";
import { JsonRpcExchange } from "./json-rpc-exchange.ts";
import { type Operation, operate } from "./operation.ts";
import type { StdioRequestOptions } from "./options.ts";
import { RawExchange } from "./raw-exchange.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import type { StdioSession } from "./stdio-session.ts";
import type { Until } from "./until.ts";

/** An operation, by the method that makes it: one that asks the program for something, or one that only reads. */
export type Action = "send" | "request" | "batch" | "end" | "read";

/** Runs an operation. */
export type Run = <Value>(
  action: Action,
  options: EffectOptions,
  step: (session: Session, operation: Operation) => Promise<Value>,
  /** @default the one that is open, or the next one that will be */
  session?: Session,
) => Promise<Value>;

/** Runs operations on the session that is found for them. */
export function runner(
  { program, runtime }: Pick<Settings<StdioFormat>, "program" | "runtime">,
  find: (action: Action, operation: Operation) => Promise<Session>,
): Run {
  return (action, { signal, timeoutMs }, step, bound) =>
    operate({ program, runtime, signal, timeoutMs }, async (operation) =>
      step(bound ?? (await find(action, operation)), operation),
    );
}

/** The operations of one format; what they are given and give is of that format, as the exchange of the session is. */
export class Dialogue<Format extends StdioFormat> implements StdioSession<Format> {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  send(message: StdioFormats[Format]["sent"], options: EffectOptions = {}): Promise<void> {
    return this.#run("send", options, ({ exchange }, operation) => exchange.send(message, operation));
  }

  request(
    question: StdioFormats[Format]["sent"],
    options?: StdioRequestOptions<Format>,
  ): Promise<StdioFormats[Format]["answer"]> {
    const { until, ...rest }: EffectOptions & { readonly until?: Until } = options ?? {};
    return this.#run("request", rest, ({ exchange }, operation) => exchange.request(question, operation, until));
  }

  async receive(options: OperationOptions = {}): Promise<StdioFormats[Format]["received"]> {
    const { done, value } = await this.#run("read", options, ({ exchange }, operation) => exchange.next(operation));
    if (!done) return value;
    throw new TransportError("unavailable", "the program has ended: there are no more messages", {
      outcome: "not-sent",
    });
  }

  async readUntil(until: Until, options: OperationOptions = {}): Promise<string> {
    return await this.#run("read", options, async ({ exchange }, operation) => {
      if (exchange instanceof RawExchange) return await exchange.readUntil(until, operation);
      throw new ParleyError("unimplemented", "only the format raw reads until a place", { outcome: "not-sent" });
    });
  }

  async batch(
    requests: readonly JsonRpcMessage[],
    options: EffectOptions = {},
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    return await this.#run("batch", options, async ({ exchange }, operation) => {
      if (exchange instanceof JsonRpcExchange) return await exchange.batch(requests, operation);
      throw new ParleyError("unimplemented", "only the format jsonrpc has batches", { outcome: "not-sent" });
    });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<StdioFormats[Format]["received"], undefined, undefined> {
    return this.#messages() as AsyncIterableIterator<StdioFormats[Format]["received"], undefined, undefined>;
  }

  async *#messages(): AsyncGenerator<unknown, undefined, undefined> {
    // The first finds the child; what another child writes after its end is no part of this.
    let bound: Session | undefined;
    const step = (session: Session, operation: Operation): ReturnType<Session["exchange"]["next"]> => {
      bound = session;
      return session.exchange.next(operation);
    };
    for (let one = await this.#run("read", {}, step); !one.done; one = await this.#run("read", {}, step, bound)) {
      yield one.value;
    }
  }
}
