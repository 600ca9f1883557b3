import { ParleyError } from "@parley/core";
import type { CallKind, Connection, Envelope, Reply } from "@parley/core/transport";
import type { CallOptions } from "../calls.ts";
import type { Environment } from "../environment.ts";
import { Finding } from "../witness.ts";

/** A caller who wants an answer: sends the same message again, under the same id and key, over a new connection if need be, until it is answered. */
export class Persistent {
  readonly #env: Environment;
  readonly #dial: () => Promise<Connection>;
  readonly #until: number;
  #connection: Promise<Connection> | undefined;
  /** How often something was sent. */
  attempts = 0;
  /** Connections that were dialled. */
  dialled = 0;

  /** @param limitMs time for everything */
  constructor(env: Environment, dial: () => Promise<Connection>, limitMs: number) {
    this.#env = env;
    this.#dial = dial;
    this.#until = performance.now() + limitMs;
  }

  /** The answer. @throws Finding when there is none in time, ParleyError when the peer's application refuses. */
  async request(operation: string, options: CallOptions & { readonly key: string }): Promise<Envelope> {
    const { message } = await this.#answered("request", operation, options);
    if (!message) throw new Finding(`caller: the request ${options.key} resolved without a message`);
    return message;
  }

  /** Publishes; resolves when that is acknowledged. @throws Finding when it is not in time */
  async publish(topic: string, data: unknown, key: string): Promise<void> {
    await this.#answered("publish", "topics", { data, key, attributes: { subject: topic } });
  }

  async #answered(kind: CallKind, operation: string, options: CallOptions & { readonly key: string }): Promise<Reply> {
    const { key, attributes = {}, ...rest } = options;
    const opener = this.#env.calls.opener(kind, operation, {
      ...rest,
      attributes: { ...attributes, idempotencykey: key },
    });
    for (;;) {
      const connection = await this.#connected();
      this.attempts++;
      try {
        return await this.#env.calls.send(connection, opener, { timeoutMs: this.#env.t }).reply;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#spent(key);
        if (connection.state !== "open") this.#connection = undefined;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await (await this.#connection?.catch(() => undefined))?.close({ graceMs: 0 });
  }

  async #connected(): Promise<Connection> {
    for (;;) {
      this.#connection ??= this.#redial();
      const own = this.#connection;
      const connection = await own;
      if (connection.state === "open") return connection;
      if (this.#connection === own) this.#connection = undefined;
    }
  }

  async #redial(): Promise<Connection> {
    for (;;) {
      this.dialled++;
      try {
        return await this.#dial();
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#spent("a connection");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  #spent(what: string): void {
    if (performance.now() > this.#until)
      throw new Finding(`caller: no answer in time for ${what}, after ${this.attempts} attempts`);
  }
}

function isPassing(error: unknown): boolean {
  return (
    error instanceof ParleyError && ["unavailable", "deadline_exceeded", "resource_exhausted"].includes(error.code)
  );
}
