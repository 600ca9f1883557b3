import { type Call, createCall } from "../../call/call.ts";
import { type ParleyError, TransportError } from "../../call/error.ts";
import type { Reply } from "../../call/interceptor.ts";
import { createEnvelope } from "../../envelope/create.ts";
import { reply } from "../../envelope/follow.ts";
import { PING } from "../channel/reception.ts";
import { HELLO, type Hello, helloData, peerHop, readHello } from "../hello.ts";
import type { CloseOptions, Connection, ConnectionState, ConnectionStats } from "../transport.ts";
import type { Broker } from "./broker.ts";
import { Exchange, type ExchangeInit } from "./exchange.ts";
import { type AgentRoute, agentRoute } from "./route.ts";

/** A dialled side's way to an agent behind a broker, and to the broker's topics. Made by `dialBroker`. */
export class BrokerConnection implements Connection {
  readonly #broker: Broker;
  readonly #init: ExchangeInit;
  readonly #exchange: Exchange;
  readonly #route: AgentRoute;
  readonly #closed: PromiseWithResolvers<ParleyError | undefined> = Promise.withResolvers();
  #hello: Hello = { profile: "" };
  #state: ConnectionState = "open";
  #reason: ParleyError | undefined;

  constructor(broker: Broker, agent: string, init: ExchangeInit) {
    this.#broker = broker;
    this.#init = init;
    this.#exchange = new Exchange(broker, init);
    this.#route = agentRoute(agent);
  }

  /** Where messages to this process's inbox go. */
  get exchange(): Exchange {
    return this.#exchange;
  }

  get hello(): Hello {
    return this.#hello;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get closed(): Promise<ParleyError | undefined> {
    return this.#closed.promise;
  }

  readonly call = (call: Call): Promise<Reply> => {
    if (this.#state !== "open") {
      const why = this.#state === "draining" ? "is closing" : "has ended";
      const options = { outcome: "not-sent", cause: this.#reason } as const;
      return Promise.reject(new TransportError("unavailable", `the connection ${why}`, options));
    }
    if (call.kind === "publish") return this.#exchange.publish(call);
    if (call.kind === "subscribe") return this.#exchange.subscribe(call);
    // A relay asks who is behind it: known already.
    if (call.message.type === HELLO && call.kind === "request")
      return Promise.resolve({ message: reply(call.message, this.#init.source, this.#hello) });
    return this.#exchange.call(this.#route, call);
  };

  /** Gets to know the agent. The call is settled by whoever made it. */
  async greet(call: Call): Promise<void> {
    const { message } = await this.#exchange.call(this.#route, call);
    this.#hello = readHello(message?.data);
    this.#route.hop = peerHop(this.#hello);
  }

  /** The request that {@link greet} sends. */
  helloMessage(): Call["message"] {
    const { source, runtime, hop } = this.#init;
    return createEnvelope({ kind: "request", type: HELLO, source, data: helloData(hop) }, runtime);
  }

  stats(): ConnectionStats {
    return this.#exchange.stats();
  }

  async ping(): Promise<{ readonly roundTripMs: number }> {
    const { runtime, source } = this.#init;
    const start = runtime.now();
    const message = createEnvelope({ kind: "request", type: PING, source }, runtime);
    await this.call(createCall({ kind: "request", message }, runtime));
    return { roundTripMs: runtime.now() - start };
  }

  async close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    if (this.#state === "open") {
      this.#state = "draining";
      const reason = new TransportError("unavailable", "the connection was closed", { outcome: "unknown" });
      const result = await this.#exchange.drain(graceMs, reason);
      // Unless the link was lost meanwhile.
      if (this.#isDraining()) await this.#end(result === "idle" ? undefined : reason);
    }
    await this.#closed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The link is lost. */
  lose(error: ParleyError): void {
    if (this.#state === "closed") return;
    this.#reason = error;
    this.#init.log?.({ level: "warn", event: "connection-ended", message: error.message, error });
    this.#state = "closed";
    this.#exchange.lose(lost(error));
    this.#closed.resolve(error);
  }

  #isDraining(): boolean {
    return this.#state === "draining";
  }

  async #end(reason: ParleyError | undefined): Promise<void> {
    await this.#broker.close().catch(() => {});
    if (!this.#isDraining()) return;
    this.#state = "closed";
    this.#exchange.lose(new TransportError("unavailable", "the connection was closed", { outcome: "unknown" }));
    this.#closed.resolve(reason);
  }
}

/** Why the calls end that were under way over a link. */
export function lost(cause: ParleyError): ParleyError {
  if (cause.code === "unavailable") return cause;
  const message = `the link to the broker is lost: ${cause.message}`;
  return new TransportError("unavailable", message, { outcome: "unknown", cause });
}
