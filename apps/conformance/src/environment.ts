import type { Connection, ConnectionStats, ConnectOptions, Manifest, Transport } from "@parley/core/transport";
import { Calls } from "./calls.ts";
import type { History } from "./history.ts";
import { type Random, randomFrom } from "./random.ts";
import type { Called, HandlerEvent, ListenRequest, Serving } from "./serving/control.ts";
import type { Tapping } from "./subject.ts";
import type { Tap } from "./tap/tap.ts";
import { createWitness, Finding, show, type Witness, type WitnessName } from "./witness.ts";

/** What one run of a scenario is made from. */
export interface EnvironmentInit {
  readonly scenario: string;
  readonly seed: string;
  readonly transport: Transport;
  readonly serving: Serving;
  readonly tap: Tap;
  readonly history: History;
  /** T, ms. */
  readonly t: number;
  readonly scale: number;
  readonly tapping: Tapping;
  readonly shared: boolean;
}

/** How to dial. */
export interface DialOptions extends Pick<ConnectOptions, "handler" | "connectTimeoutMs"> {
  /** @default the fixture's listener, through the tap */
  readonly url?: URL;
}

/** What a scenario has in hand: the caller's side, the fixture's side, the wire between them, and witnesses. Made for one run. */
export class Environment {
  readonly manifest: Manifest;
  readonly transport: Transport;
  readonly serving: Serving;
  readonly tap: Tap;
  readonly history: History;
  readonly calls: Calls;
  readonly random: Random;
  /** T, ms: the time in which whatever is to happen must happen. */
  readonly t: number;
  readonly tapping: Tapping;
  /** By how much this machine, or the user, stretches times. */
  readonly scale: number;
  /** All connections share one behind a relay: the handler sees one peer. */
  readonly shared: boolean;
  readonly caller: Witness;
  readonly handler: Witness;
  readonly wire: Witness;
  readonly processes: Witness;
  readonly testified: Set<WitnessName> = new Set();
  readonly connections: Connection[] = [];
  #listener: URL | undefined;
  #url: Promise<URL> | undefined;
  #over = false;
  readonly #waiting = new Set<() => void>();

  constructor(init: EnvironmentInit) {
    const { transport, serving, tap, history, t, scale, shared, scenario, seed, tapping } = init;
    this.manifest = transport.manifest;
    this.transport = transport;
    this.serving = serving;
    this.tap = tap;
    this.history = history;
    this.t = t;
    this.scale = scale;
    this.shared = shared;
    this.tapping = tapping;
    this.random = randomFrom(seed, scenario);
    this.calls = new Calls(history, this.random);
    const testified = (name: WitnessName): void => void this.testified.add(name);
    this.caller = createWitness("caller", testified);
    this.handler = createWitness("handler", testified);
    this.wire = createWitness("wire", testified);
    this.processes = createWitness("processes", testified);
    serving.onEvent((event) => this.#heard(event));
  }

  /** Opens a listener of the fixture. */
  async listen(request?: ListenRequest): Promise<URL> {
    this.#listener = new URL(await this.#subject("listen()", this.serving.listen(request)));
    return this.#listener;
  }

  /** Address of the fixture's listener behind the tap; opened when first asked for. */
  url(): Promise<URL> {
    this.#url ??= this.listen().then((url) => this.tap.through(url));
    return this.#url;
  }

  /** Opens a connection, which the suite closes at the end. */
  async connect(options: DialOptions = {}): Promise<Connection> {
    return await this.#subject("connect()", this.dial(options));
  }

  /** Dials, and leaves it to the scenario to see what comes of it. */
  async dial(options: DialOptions = {}): Promise<Connection> {
    const { url = await this.url(), handler, connectTimeoutMs = this.t } = options;
    this.history.note("caller", `dials ${url.protocol}//`);
    const connection: Partial<Connection> | undefined = await this.transport.connect(url, {
      handler,
      connectTimeoutMs,
    });
    if (
      typeof connection?.call !== "function" ||
      typeof connection.close !== "function" ||
      typeof connection.stats !== "function"
    ) {
      throw new Finding(`caller: connect() must resolve with a Connection\n  observed ${show(connection)}`);
    }
    if (this.#over) await connection.close({ graceMs: 0 });
    this.connections.push(connection as Connection); // as far as can be seen
    return connection as Connection;
  }

  /** Dials the last listener itself, which must be closed by now. */
  async dialRefused(): Promise<Connection> {
    if (!this.#listener) throw new Error("there was no listener yet");
    return this.dial({ url: this.#listener });
  }

  /** The scenario is over: a connection that still comes is closed. */
  finish(): void {
    this.#over = true;
    this.calls.settle();
    this.serving.onEvent(undefined);
  }

  /** Waits for something that must happen. @throws Finding after `limitMs`, T unless told. */
  async within<Value>(what: string, promise: Promise<Value>, limitMs: number = this.t): Promise<Value> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Finding(`${what}: did not happen within ${Math.round(limitMs)} ms`)),
      limitMs,
    );
    try {
      return await Promise.race([promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until the handlers have seen something. @throws Finding after T. */
  async until(what: string, holds: () => boolean, limitMs: number = this.t): Promise<void> {
    if (holds()) return;
    const seen = Promise.withResolvers<void>();
    const look = (): void => {
      if (holds()) seen.resolve();
    };
    this.#waiting.add(look);
    const poll = setInterval(look, 5);
    try {
      await this.within(what, seen.promise, limitMs);
    } finally {
      clearInterval(poll);
      this.#waiting.delete(look);
    }
  }

  /** Waits for an event of one call at the handler. @throws Finding after T. */
  async event(call: string, what: HandlerEvent["what"], limitMs?: number): Promise<HandlerEvent> {
    const find = (): HandlerEvent | undefined => this.events(call, what)[0];
    await this.until(`the handler's "${what}" of the call ${call}`, () => find() !== undefined, limitMs);
    return find() as HandlerEvent; // just found
  }

  /** What the handlers saw of one call, or of all. */
  events(call?: string, what?: HandlerEvent["what"]): readonly HandlerEvent[] {
    return this.serving.events.filter(
      (event) => (call === undefined || event.call === call) && (what === undefined || event.what === what),
    );
  }

  /** How the handler saw a call when it arrived. */
  async called(call: string): Promise<Called> {
    return (await this.event(call, "called")).detail as Called; // what "called" carries
  }

  /** Counters of the fixture's listeners. */
  servingStats(): Promise<ConnectionStats> {
    return this.serving.stats();
  }

  /** Proves that nothing more of what went before will arrive: an echo after it has come and gone. */
  async sentinel(connection: Connection): Promise<void> {
    await this.within("an echo sent after it", this.calls.request(connection, "echo", { data: "sentinel" }));
  }

  /** What the subject did not do in time, or refused to do, is its own fault. */
  async #subject<Value>(what: string, promise: Promise<Value>): Promise<Value> {
    try {
      return await this.within(what, Promise.resolve(promise), this.t * 1.5);
    } catch (error) {
      if (error instanceof Finding) throw error;
      throw new Finding(`${what} must resolve\n  observed ${show(error)}`, { cause: error });
    }
  }

  #heard(event: HandlerEvent): void {
    this.history.add({ at: event.at, lane: "handler", what: `${event.operation}: ${event.what}`, call: event.call });
    for (const look of this.#waiting) look();
  }
}
