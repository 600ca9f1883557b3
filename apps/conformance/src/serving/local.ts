import { dedupe } from "@parley/core";
import {
  type Connection,
  type ConnectionStats,
  createRuntime,
  type Handler,
  intercept,
  type Listener,
  systemRuntime,
  type Transport,
} from "@parley/core/transport";
import { type RejectionWatch, residentBytes, snapshot, watchRejections } from "../hygiene.ts";
import type { Tuning } from "../subject.ts";
import type { HandlerEvent, ListenRequest, Serving } from "./control.ts";
import { createFixture, type Fixture } from "./fixture.ts";
import { guarded } from "./guard.ts";

const MAX_EVENTS = 100_000;

/**
 * The serving side in this process.
 * @param dial how a relay dials what it relays to; by the transport itself unless given.
 * @param tuned makes the transport anew.
 */
export function createServing(
  transport: Transport,
  url: string,
  dial?: (url: URL) => Promise<Connection>,
  tuned: (tuning: Tuning) => Transport = () => transport,
): Serving {
  return new LocalServing(transport, url, dial, tuned);
}

class LocalServing implements Serving {
  readonly #transport: Transport;
  readonly #tuned: (tuning: Tuning) => Transport;
  readonly #url: string;
  readonly #connect: (url: URL) => Promise<Connection>;
  readonly #rejections: RejectionWatch = watchRejections();
  readonly #realNow = Date.now;
  readonly pid = undefined;
  readonly exited = undefined;
  readonly alive = true;
  readonly renewed = undefined;
  #events: HandlerEvent[] = [];
  #fixture: Fixture = createFixture((event) => this.#tell(event));
  #listeners: Listener[] = [];
  #upstream: Connection[] = [];
  #listener: ((event: HandlerEvent) => void) | undefined;

  constructor(
    transport: Transport,
    url: string,
    dial: ((url: URL) => Promise<Connection>) | undefined,
    tuned: (tuning: Tuning) => Transport,
  ) {
    this.#transport = transport;
    this.#tuned = tuned;
    this.#url = url;
    this.#connect = dial ?? ((to) => transport.connect(to));
  }

  get events(): readonly HandlerEvent[] {
    return this.#events;
  }

  onEvent(listener: ((event: HandlerEvent) => void) | undefined): void {
    this.#listener = listener;
  }

  async listen(request: ListenRequest = {}): Promise<string> {
    const { relay = false, clockSkewMs = 0, url: at, upstream, tuning } = request;
    const fixture = this.#fixture;
    const use = [
      ...(request.guard ? [guarded(request.guard, fixture.passed)] : []),
      ...(request.dedupe ? [dedupe(request.dedupe)] : []),
    ];
    const handler: Handler = use.length > 0 ? intercept(async (call) => fixture.handler(call), use) : fixture.handler;
    const skewed = { ...systemRuntime, date: () => this.#realNow() + clockSkewMs };
    const runtime = clockSkewMs === 0 ? systemRuntime : createRuntime(skewed);
    const transport = tuning ? this.#tuned(tuning) : this.#transport;
    const open = async (own: Handler, where: string): Promise<URL> => {
      const listener: Listener | undefined = await transport.listen(new URL(where), own, { runtime });
      if (typeof listener?.close !== "function" || !(listener.url instanceof URL)) {
        throw new TypeError("listen() resolved with something that is no Listener");
      }
      this.#listeners.push(listener);
      return knownAs(listener.url, new URL(where));
    };
    const own = at ?? this.#free();
    if (!relay) return (await open(handler, own)).href;
    const behind = upstream ?? (await open(handler, own)).href;
    const connection = await this.#connect(new URL(behind));
    this.#upstream.push(connection);
    // An address that is a name, as at a broker, is the fixture's already.
    return (await open(connection.call, behind === own ? `${own}-relay` : own)).href;
  }

  /** The subject's address; where that is a name, as at a broker, and is taken, another. */
  #free(): string {
    const own = knownAs(new URL(this.#url), new URL("none:"));
    const taken = this.#listeners.filter(({ url }) => url.href.startsWith(own.href)).length;
    const isName = this.#listeners.some(({ url }) => url.href === own.href);
    return isName ? `${this.#url}-${taken + 1}` : this.#url;
  }

  async release(...gates: readonly string[]): Promise<void> {
    for (const gate of gates) {
      this.#fixture.release(gate);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async stats(): Promise<ConnectionStats> {
    const sum = { openCalls: 0, lateMessages: 0, refusedMessages: 0 };
    for (const one of this.#listeners) sum.openCalls += one.stats().openCalls;
    // What a relay asks of the other side for its own sake stays open as long as the relay.
    for (const one of [...this.#listeners, ...this.#upstream].map((listener) => listener.stats())) {
      sum.lateMessages += one.lateMessages;
      sum.refusedMessages += one.refusedMessages;
    }
    return sum;
  }

  async snapshot(): ReturnType<Serving["snapshot"]> {
    return snapshot();
  }

  async residentBytes(): Promise<number> {
    return residentBytes();
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

  async kill(): Promise<void> {
    throw new Error("this serving side has no process of its own");
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await this.close(0);
    this.#rejections.stop();
  }

  #tell(event: HandlerEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event);
    this.#listener?.(event);
  }
}

/** An address with the user and password of another: a listener does not tell those in its own. */
function knownAs(url: URL, { username, password }: URL): URL {
  return Object.assign(new URL(url), { username, password });
}
