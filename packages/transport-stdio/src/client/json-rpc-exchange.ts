import { ParleyError, report, TransportError, toParleyError, withOutcome } from "@parley/core/transport";
import type { LineFormat } from "../text-lines.ts";
import type { Exchange, ExchangeInit } from "./exchange.ts";
import { Inbox } from "./inbox.ts";
import {
  answeredError,
  type Incoming,
  type JsonRpcMessage,
  type JsonRpcOptions,
  type JsonRpcRequest,
  readJsonRpc,
  refusal,
} from "./json-rpc.ts";
import { encodeMessage, jsonFormat } from "./message-format.ts";
import { MessageReader } from "./message-reader.ts";
import type { Operation } from "./operation.ts";

const VERSION = { jsonrpc: "2.0" } as const;

type Settled = PromiseSettledResult<unknown>;

/** A request that was written, or is about to be. */
interface Pending {
  readonly method: string;
  readonly operation: Operation;
  settle(result: Settled): void;
  fail(error: ParleyError): void;
}

/** JSON-RPC 2.0: requests of both sides at a time, by their ids, and notifications. */
export class JsonRpcExchange implements Exchange {
  readonly #init: ExchangeInit;
  readonly #options: JsonRpcOptions & LineFormat;
  readonly #reader: MessageReader;
  readonly #inbox: Inbox<JsonRpcMessage>;
  readonly #pending = new Map<number, Pending>();
  readonly #gone = new AbortController();
  #nextId = 1;
  #handling = 0;

  constructor(init: ExchangeInit, options: JsonRpcOptions & LineFormat) {
    this.#init = init;
    this.#options = options;
    this.#reader = new MessageReader(init, jsonFormat, options, (message, bytes) => this.#receive(message, bytes));
    // Answers stand behind notifications in the same pipe: it is never held up.
    this.#inbox = new Inbox({ maxBytes: init.maxUnreadBytes, dropped: () => void init.counts.droppedMessages++ });
  }

  get unread(): boolean {
    return this.#inbox.size > 0;
  }

  data(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  finish(error: ParleyError, inOrder: boolean): void {
    this.#reader.end(inOrder);
    this.#gone.abort(error);
    for (const { fail, operation } of this.#pending.values()) fail(withOutcome(error, operation.outcome));
    this.#inbox.finish(inOrder ? undefined : error);
  }

  async send(message: unknown, operation: Operation): Promise<void> {
    await this.#init.outbox.write(this.#encode({ ...VERSION, ...outgoing(message) }), operation);
  }

  async request(message: unknown, operation: Operation): Promise<unknown> {
    const [result] = await this.#ask([message], operation, ([request]) => request);
    if (result?.status === "rejected") throw result.reason;
    return result?.value;
  }

  /** Several requests on one line. */
  async batch(messages: readonly unknown[], operation: Operation): Promise<readonly Settled[]> {
    return messages.length === 0 ? [] : await this.#ask(messages, operation, (requests) => requests);
  }

  next(operation: Operation): Promise<IteratorResult<JsonRpcMessage, undefined>> {
    return this.#inbox.next(operation);
  }

  async #ask(
    messages: readonly unknown[],
    operation: Operation,
    line: (requests: readonly JsonRpcRequest[]) => unknown,
  ): Promise<readonly Settled[]> {
    const { program, outbox, maxCalls } = this.#init;
    if (this.#pending.size + messages.length > maxCalls) {
      const problem = `${this.#pending.size} requests wait for answers of ${program}, and maxCalls is ${maxCalls}`;
      throw new TransportError("resource_exhausted", problem, { outcome: "not-sent" });
    }
    const requests = messages.map((message) => ({ ...VERSION, id: this.#nextId++, ...outgoing(message) }));
    const bytes = this.#encode(line(requests));
    const results = new Map<number, Settled>();
    try {
      await operation.wait<void>("did not answer", (resolve, fail) => {
        const withdraw = outbox.post({ bytes, operation, taken() {}, failed: fail });
        for (const { id, method } of requests) {
          const settle = (result: Settled): void => {
            results.set(id, result);
            if (results.size === requests.length) resolve();
          };
          this.#pending.set(id, { method, operation, settle, fail });
        }
        return () => {
          withdraw();
          for (const { id } of requests) this.#pending.delete(id);
        };
      });
    } catch (error) {
      if (operation.error && operation.outcome !== "not-sent") {
        for (const { id, method } of requests) if (!results.has(id)) this.#tellCancelled(id, method, operation.error);
      }
      throw error;
    }
    return requests.map(({ id }) => results.get(id) as Settled); // All are there once it has resolved.
  }

  #tellCancelled(id: number, method: string, error: ParleyError): void {
    const message = this.#options.cancellation?.({ id, method, error });
    if (message) this.#post({ ...VERSION, ...outgoing(message) });
  }

  /** Whether it was JSON-RPC. */
  #receive(value: unknown, bytes: number): boolean {
    if (Array.isArray(value)) {
      const all = value.map(readJsonRpc).filter((one) => one !== undefined);
      void Promise.all(all.map((one) => this.#take(one, bytes))).then((answers) => {
        const given = answers.filter((answer) => answer !== undefined);
        if (given.length > 0) this.#post(given);
      });
      return all.length > 0;
    }
    const one = readJsonRpc(value);
    if (!one) return false;
    void this.#take(one, bytes)?.then((answer) => this.#post(answer));
    return true;
  }

  /** The answer, if there is one to give. */
  #take(incoming: Incoming, bytes: number): Promise<object> | undefined {
    switch (incoming.kind) {
      case "request":
        return this.#handle(incoming.request);
      case "notification":
        this.#inbox.push(incoming.notification, bytes);
        return undefined;
    }
    const pending = this.#pending.get(incoming.id as number); // Another value finds nothing.
    this.#pending.delete(incoming.id as number);
    if (!pending) this.#unasked(incoming);
    else if (incoming.kind === "result") pending.settle({ status: "fulfilled", value: incoming.result });
    else pending.settle({ status: "rejected", reason: refusal(this.#init.program, pending.method, incoming.error) });
    return undefined;
  }

  async #handle(request: JsonRpcRequest): Promise<object> {
    const { id, method } = request;
    const { maxCalls, log } = this.#init;
    const { onRequest } = this.#options;
    this.#handling++;
    try {
      if (!onRequest) throw new ParleyError("unimplemented", `nobody here answers ${method}`);
      if (this.#handling > maxCalls) throw new TransportError("resource_exhausted", "too many requests at a time");
      const result = (await onRequest(request, { signal: this.#gone.signal })) ?? null;
      return this.#checked({ ...VERSION, id, result });
    } catch (thrown) {
      const error = toParleyError(thrown);
      if (error.code === "internal") {
        report(log, error, { level: "error", event: "handler-failed", message: `the handler of ${method} failed` });
      }
      return { ...VERSION, id, error: answeredError(error) };
    } finally {
      this.#handling--;
    }
  }

  /** A result that JSON cannot carry is the handler's fault. */
  #checked(answer: object): object {
    try {
      this.#encode(answer);
      return answer;
    } catch (cause) {
      throw new Error("the result cannot be written as JSON", { cause });
    }
  }

  /** Writes what nobody here waits for. */
  #post(message: object): void {
    const { outbox, log, program } = this.#init;
    const failed = (error: ParleyError): void =>
      log?.({ level: "warn", event: "message-lost", message: `a message did not reach ${program}`, error });
    try {
      outbox.post({ bytes: this.#encode(message), operation: { outcome: "not-sent" }, taken() {}, failed });
    } catch (error) {
      failed(toParleyError(error));
    }
  }

  /** Late, or never asked for; an error without an id says that the program could not read something. */
  #unasked(incoming: Incoming): void {
    const { counts, log, program } = this.#init;
    counts.lateMessages++;
    if (incoming.kind !== "error" || incoming.id !== null) return;
    const { code } = incoming.error;
    log?.({ level: "warn", event: "unread-message", message: `${program} could not read a message (${code})` });
  }

  #encode(value: unknown): Buffer {
    return encodeMessage(value, jsonFormat, this.#options);
  }
}

/** @throws ParleyError `invalid_argument` */
function outgoing(message: unknown): JsonRpcMessage {
  const { method, params } = (message ?? {}) as Partial<JsonRpcMessage>; // Callers without types give anything.
  if (typeof method === "string") return { method, ...(params === undefined ? {} : { params }) };
  throw new ParleyError("invalid_argument", 'a JSON-RPC message needs a method: { method: "tools/list", params: {} }', {
    outcome: "not-sent",
  });
}
