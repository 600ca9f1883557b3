import type { Connection, ConnectionStats, ConnectOptions, Manifest, Transport } from "@parley/core/transport";
import type { OwnBroker, OwnBrokerOptions } from "./brokers/own-broker.ts";
import { Calls } from "./calls.ts";
import type { DialOptions, EnvironmentInit, LastingOptions } from "./environment-init.ts";
import { type TcpProxy, type TcpProxyOptions, tcpProxy } from "./faults/tcp-proxy.ts";
import type { History } from "./history.ts";
import { dialLasting, type Lasting, type Reconnecting } from "./lasting.ts";
import type { Profile } from "./profile.ts";
import { type Random, randomFrom } from "./random.ts";
import type { Called, HandlerEvent, ListenRequest, Serving } from "./serving/control.ts";
import type { Tapping, Tuning } from "./subject.ts";
import type { Tap } from "./tap/tap.ts";
import { createWitness, Finding, show, type Witness, type WitnessName } from "./witness.ts";

/** What a scenario has in hand: the caller's side, the fixture's side, the wire between them, and witnesses. Made for one run. */
export class Environment {
  readonly manifest: Manifest;
  readonly transport: Transport;
  /** Makes the transport anew, tuned. */
  readonly tuned: (tuning: Tuning) => Transport;
  /** URL of the subject's module, if it has one. */
  readonly module: string | undefined;
  readonly serving: Serving;
  readonly tap: Tap;
  readonly history: History;
  readonly calls: Calls;
  readonly random: Random;
  /** T, ms: the time in which whatever is to happen must happen. */
  readonly t: number;
  readonly tapping: Tapping;
  /** Where the serving side listens with TLS, if it can. */
  readonly secure: string | undefined;
  /** Callers can show a bearer token, and the handler sees it. */
  readonly tokens: boolean;
  /** By how much this machine, or the user, stretches times. */
  readonly scale: number;
  /** All connections share one behind a relay: the handler sees one peer. */
  readonly shared: boolean;
  /** Each connection has a serving process of its own, started by the one that dials. */
  readonly children: boolean;
  /** There is a broker between the two sides. */
  readonly brokered: boolean;
  /** How thorough this run is to be. */
  readonly profile: Profile;
  readonly caller: Witness;
  readonly handler: Witness;
  readonly wire: Witness;
  readonly processes: Witness;
  readonly testified: Set<WitnessName> = new Set();
  readonly connections: Connection[] = [];
  /** Bad links, which the suite closes at the end. */
  readonly proxies: TcpProxy[] = [];
  readonly #brokers: OwnBroker[] = [];
  readonly #dial: EnvironmentInit["dial"];
  readonly #dialProgram: EnvironmentInit["dialProgram"];
  readonly #ownBroker: EnvironmentInit["ownBroker"];
  /** The broker that lets in only whom it knows; all scenarios share it. */
  readonly securedBroker: EnvironmentInit["securedBroker"];
  /** Starts what answers as brokers that lack something that calls need; the scenario closes them. */
  readonly lackingBrokers: EnvironmentInit["lackingBrokers"];
  readonly #reconnecting: Reconnecting | undefined;
  readonly #noRelay: EnvironmentInit["noRelay"];
  #listener: URL | undefined;
  #url: Promise<URL> | undefined;
  #over = false;
  readonly #waiting = new Set<() => void>();

  constructor(init: EnvironmentInit) {
    const { transport, tuned, module, serving, tap, history, t, scale, shared, scenario, seed, tapping } = init;
    const { children, profile, dial, ownBroker } = init;
    this.manifest = transport.manifest;
    this.transport = transport;
    this.tuned = tuned;
    this.module = module;
    this.serving = serving;
    this.tap = tap;
    this.history = history;
    this.t = t;
    this.scale = scale;
    this.shared = shared;
    this.children = children;
    this.brokered = init.brokered;
    this.profile = profile;
    this.tapping = tapping;
    this.#dial = dial;
    this.#dialProgram = init.dialProgram;
    this.#ownBroker = ownBroker;
    this.securedBroker = init.securedBroker;
    this.lackingBrokers = init.lackingBrokers;
    this.#reconnecting = init.reconnecting;
    this.#noRelay = init.noRelay;
    this.secure = init.secure;
    this.tokens = init.tokens;
    this.random = randomFrom(seed, scenario);
    this.calls = new Calls(history, randomFrom(seed, scenario, "calls"));
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

  /** Address of that listener itself. */
  async direct(): Promise<URL> {
    await this.url();
    return this.#listener as URL; // opened for it
  }

  /** Puts a bad link before a listener's address. */
  async proxy(listener: URL, options: TcpProxyOptions = {}): Promise<TcpProxy> {
    if (this.#noRelay) throw this.#noRelay();
    const random = (): number => this.random.int(2 ** 32) / 2 ** 32;
    const proxy = await tcpProxy(listener, { random, ...options });
    this.proxies.push(proxy);
    return proxy;
  }

  /** Opens a connection, which the suite closes at the end. */
  async connect(options: DialOptions = {}): Promise<Connection> {
    return await this.#subject("connect()", this.dial(options));
  }

  /** Another connection to the agent that this one is connected to; the same one, where each has an agent of its own. */
  async another(connection: Connection): Promise<Connection> {
    return this.children ? connection : this.connect();
  }

  /** So much in this run: the first number quickly, the second thoroughly. */
  count(quick: number, full: number): number {
    return this.profile === "full" ? full : quick;
  }

  /** A broker that the scenario may stop, kill and start again; ended after it. To use it, `listen({ url })` and dial what that gives. */
  async ownBroker(options?: OwnBrokerOptions): Promise<OwnBroker> {
    const broker = await this.#ownBroker(options);
    this.#brokers.push(broker);
    return broker;
  }

  /** Ends the brokers that the scenario had. */
  async closeBrokers(): Promise<void> {
    await Promise.all(this.#brokers.splice(0).map((broker) => broker.close()));
  }

  /** Dials, and leaves it to the scenario to see what comes of it. */
  async dial(how: DialOptions = {}): Promise<Connection> {
    const { handler, connectTimeoutMs = this.#connectMs, log } = how;
    const connection: Partial<Connection> | undefined = await this.#open(how, { handler, connectTimeoutMs, log });
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

  /** Opens a connection that comes back after a cut, which the suite closes at the end. */
  async lasting(how: LastingOptions = {}): Promise<Lasting> {
    const { handler, connectTimeoutMs = this.#connectMs, log, reconnect = {} } = how;
    const dialling = dialLasting({
      transport: this.transport,
      reconnecting: this.#reconnecting,
      dial: (url, options) => this.#open({ ...how, url }, options),
      url: how.program ? new URL("child:") : (how.url ?? (await this.url())),
      options: { handler, connectTimeoutMs, log },
      reconnect,
    });
    const lasting = await this.#subject("connect()", dialling);
    this.connections.push(lasting.connection);
    return lasting;
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

  /** Longest time to connect; to start a process, and that behind a shim, takes what the machine needs for it. */
  get #connectMs(): number {
    return this.children ? 4 * this.t : this.t;
  }

  async #open({ url, program, tuning }: DialOptions, options: ConnectOptions): Promise<Connection> {
    if (program) {
      this.history.note("caller", `starts ${program.command}`);
      return await this.#dialProgram(program, options, tuning);
    }
    const to = url ?? (await this.url());
    this.history.note("caller", `dials ${to.protocol}//`);
    return await this.#dial(to, options, tuning);
  }

  /** What the subject did not do in time, or refused to do, is its own fault. */
  async #subject<Value>(what: string, promise: Promise<Value>): Promise<Value> {
    try {
      return await this.within(what, Promise.resolve(promise), this.#connectMs * 1.5);
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
