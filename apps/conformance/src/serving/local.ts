import {
  type Connection,
  type ConnectionStats,
  createRuntime,
  type Listener,
  systemRuntime,
  type Transport,
} from "@parley/core/transport";
import { type RejectionWatch, snapshot, watchRejections } from "../hygiene.ts";
import type { HandlerEvent, ListenRequest, Serving } from "./control.ts";
import { createFixture, type Fixture } from "./fixture.ts";

const MAX_EVENTS = 100_000;

/** The serving side in this process. */
export function createServing(transport: Transport, url: string): Serving {
  return new LocalServing(transport, url);
}

class LocalServing implements Serving {
  readonly #transport: Transport;
  readonly #url: string;
  readonly #rejections: RejectionWatch = watchRejections();
  readonly #realNow = Date.now;
  readonly pid = undefined;
  readonly exited = undefined;
  #events: HandlerEvent[] = [];
  #fixture: Fixture = createFixture((event) => this.#tell(event));
  #listeners: Listener[] = [];
  #upstream: Connection[] = [];
  #listener: ((event: HandlerEvent) => void) | undefined;

  constructor(transport: Transport, url: string) {
    this.#transport = transport;
    this.#url = url;
  }

  get events(): readonly HandlerEvent[] {
    return this.#events;
  }

  onEvent(listener: ((event: HandlerEvent) => void) | undefined): void {
    this.#listener = listener;
  }

  async listen({ relay = false, clockSkewMs = 0 }: ListenRequest = {}): Promise<string> {
    const skewed = { ...systemRuntime, date: () => this.#realNow() + clockSkewMs };
    const runtime = clockSkewMs === 0 ? systemRuntime : createRuntime(skewed);
    const open = async (handler: Fixture["handler"]): Promise<URL> => {
      const listener: Listener | undefined = await this.#transport.listen(new URL(this.#url), handler, { runtime });
      if (typeof listener?.close !== "function" || !(listener.url instanceof URL)) {
        throw new TypeError("listen() resolved with something that is no Listener");
      }
      this.#listeners.push(listener);
      return listener.url;
    };
    const url = await open(this.#fixture.handler);
    if (!relay) return url.href;
    const connection = await this.#transport.connect(url);
    this.#upstream.push(connection);
    return (await open(connection.call)).href;
  }

  async release(...gates: readonly string[]): Promise<void> {
    for (const gate of gates) {
      this.#fixture.release(gate);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async stats(): Promise<ConnectionStats> {
    const sum = { openCalls: 0, lateMessages: 0, refusedMessages: 0 };
    for (const one of [...this.#listeners, ...this.#upstream].map((listener) => listener.stats())) {
      sum.openCalls += one.openCalls;
      sum.lateMessages += one.lateMessages;
      sum.refusedMessages += one.refusedMessages;
    }
    return sum;
  }

  async snapshot(): ReturnType<Serving["snapshot"]> {
    return snapshot();
  }

  async rejections(): Promise<readonly string[]> {
    return this.#rejections.take();
  }

  async close(graceMs: number): Promise<void> {
    const [listeners, upstream] = [this.#listeners.splice(0), this.#upstream.splice(0)];
    this.#fixture.reset();
    await Promise.all(upstream.map((connection) => connection.close({ graceMs })));
    await Promise.all(listeners.map((listener) => listener.close({ graceMs })));
  }

  async reset(): Promise<void> {
    this.#events = [];
    this.#fixture.reset();
    this.#fixture = createFixture((event) => this.#tell(event));
  }

  async stop(): Promise<void> {
    await this.close(0);
    this.#rejections.stop();
  }

  #tell(event: HandlerEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event);
    this.#listener?.(event);
  }
}
