import { ParleyError, TransportError } from "@parley/core/transport";
import type { StdioFormat, StdioFormats } from "./formats.ts";
import type { JsonRpcMessage } from "./json-rpc.ts";
import { JsonRpcExchange } from "./json-rpc-exchange.ts";
import { type Operation, type OperationOptions, operate } from "./operation.ts";
import type { StdioRequestOptions } from "./options.ts";
import { RawExchange } from "./raw-exchange.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import type { StdioSession } from "./stdio-session.ts";
import type { Until } from "./until.ts";

/** Runs an operation: one that asks the program for something, within the time that it has by default, or one that only reads. */
export type Run = <Value>(
  kind: "ask" | "read",
  options: OperationOptions,
  step: (session: Session, operation: Operation) => Promise<Value>,
  /** @default the one that is open, or the next one that will be */
  session?: Session,
) => Promise<Value>;

/** Runs operations on the session that is found for them. */
export function runner(
  { program, runtime, timeoutMs }: Pick<Settings<StdioFormat>, "program" | "runtime" | "timeoutMs">,
  find: (kind: "ask" | "read", operation: Operation) => Promise<Session>,
): Run {
  return (kind, options, step, bound) => {
    const limitMs = options.timeoutMs ?? (kind === "ask" ? timeoutMs : undefined);
    const init = { program, runtime, signal: options.signal, timeoutMs: limitMs };
    return operate(init, async (operation) => step(bound ?? (await find(kind, operation)), operation));
  };
}

/** The operations of one format; what they are given and give is of that format, as the exchange of the session is. */
export class Dialogue<Format extends StdioFormat> implements StdioSession<Format> {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  send(message: StdioFormats[Format]["sent"], options: OperationOptions = {}): Promise<void> {
    return this.#run("ask", options, ({ exchange }, operation) => exchange.send(message, operation));
  }

  request(
    question: StdioFormats[Format]["sent"],
    options?: StdioRequestOptions<Format>,
  ): Promise<StdioFormats[Format]["answer"]> {
    const { until, ...rest }: OperationOptions & { readonly until?: Until } = options ?? {};
    return this.#run("ask", rest, ({ exchange }, operation) => exchange.request(question, operation, until));
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
    options: OperationOptions = {},
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    return await this.#run("ask", options, async ({ exchange }, operation) => {
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
