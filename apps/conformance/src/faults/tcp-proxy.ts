import { connect, createServer, type Server, type Socket } from "node:net";
import { type From, sides } from "../tap/tap.ts";
import type { Faults } from "./faults.ts";
import { Lane, type Pace } from "./lane.ts";

/** A TCP relay on 127.0.0.1 that is a bad link: for any wire over TCP, and for what leads to a broker. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** The address to dial in place of the target's, or of another URL. */
  url(target: URL): URL;
  /** Connections so far. */
  readonly connections: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Connections that a fault, {@link cut} or {@link down} has ended so far. */
  readonly cuts: number;
  /** Bytes that have passed so far from one side. */
  bytes(from: From): number;
  /** Other faults from now on, for connections that are open too. A function is asked for each connection by its number, from 1. */
  set(faults: Faults | ((connection: number) => Faults)): void;
  /** Ends every open connection: orderly (FIN) or hard (RST). */
  cut(how: "fin" | "rst"): void;
  /** Resets what is open and refuses what comes. Resolves when nobody listens at the port any more. */
  down(): Promise<void>;
  /** Takes connections again, at the same port. */
  up(): Promise<void>;
  /** Ends everything. Idempotent. */
  close(): Promise<void>;
}

/** What a proxy stands before, and what is wrong from the first byte on. */
export interface TcpProxyOptions {
  readonly faults?: Faults | ((connection: number) => Faults);
  /** From 0 up to, and without, 1: for jitter. @default Math.random */
  readonly random?: () => number;
}

/** Opens a proxy before the host and port of `target`. */
export async function tcpProxy(target: URL, options: TcpProxyOptions = {}): Promise<TcpProxy> {
  const proxy = new Relay(target, options);
  await proxy.up();
  return proxy;
}

/**
 * Ports that no system gives to whoever asks for any: while the proxy is down nobody else gets its port by chance, and with it what is
 * meant for the proxy.
 */
const FIRST_PORT = 10_240;
const PORTS = 20_000;

/** How many ports are tried before it is given up: any of them may be somebody's. */
const MAX_TRIES = 50;

/** Time that a peer has to answer a FIN with its own. */
const LINGER_MS = 100;

interface Pair {
  readonly number: number;
  readonly dialler: Socket;
  readonly listener: Socket;
  lanes: Readonly<Record<From, Lane>>;
}

class Relay implements TcpProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #random: () => number;
  readonly #pairs = new Set<Pair>();
  readonly #paces: Readonly<Record<From, Pace>> = { dialler: { freeAt: 0 }, listener: { freeAt: 0 } };
  readonly #bytes: Record<From, number> = { dialler: 0, listener: 0 };
  #faults: (connection: number) => Faults;
  #server: Server | undefined;
  port = 0;
  connections = 0;
  cuts = 0;

  constructor(target: URL, { faults = {}, random = Math.random }: TcpProxyOptions) {
    this.#target = { host: target.hostname.replace(/^\[|\]$/g, ""), port: Number(target.port) };
    this.#faults = typeof faults === "function" ? faults : () => faults;
    this.#random = random;
  }

  get open(): number {
    return this.#pairs.size;
  }

  url(target: URL): URL {
    const url = new URL(target);
    url.hostname = "127.0.0.1";
    url.port = String(this.port);
    return url;
  }

  bytes(from: From): number {
    return this.#bytes[from];
  }

  set(faults: Faults | ((connection: number) => Faults)): void {
    this.#faults = typeof faults === "function" ? faults : () => faults;
    for (const { number, lanes } of this.#pairs) {
      const own = this.#faults(number);
      for (const from of sides) lanes[from].change(own[from] ?? {});
    }
  }

  cut(how: "fin" | "rst"): void {
    for (const pair of this.#pairs) this.#cutPair(pair, how);
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    this.cut("rst");
    await closed;
  }

  async up(): Promise<void> {
    if (this.#server) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server = server;
    for (let tries = MAX_TRIES; this.port === 0; tries--) {
      const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
      try {
        await listening(server, port);
        this.port = port;
        return;
      } catch (error) {
        if (tries === 0) throw error;
      }
    }
    await listening(server, this.port);
  }

  async close(): Promise<void> {
    await this.down();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(dialler: Socket): void {
    const number = ++this.connections;
    const listener = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const faults = this.#faults(number);
    const lane = (source: Socket, target: Socket, from: From): Lane =>
      new Lane(source, target, this.#paces[from], faults[from] ?? {}, {
        random: this.#random,
        cut: (how) => this.#cutPair(pair, how),
        passed: (bytes) => {
          this.#bytes[from] += bytes;
        },
      });
    const pair: Pair = {
      number,
      dialler,
      listener,
      lanes: { dialler: lane(dialler, listener, "dialler"), listener: lane(listener, dialler, "listener") },
    };
    this.#pairs.add(pair);
    for (const from of sides) this.#watch(pair, from);
    const atOnce = sides.find((from) => faults[from]?.cutAfterBytes === 0);
    if (atOnce) this.#cutPair(pair, faults[atOnce]?.cut ?? "fin");
  }

  /** One socket that is gone takes the other with it, unless its end is being withheld. */
  #watch(pair: Pair, from: From): void {
    const [own, other] = [pair[from], pair[from === "dialler" ? "listener" : "dialler"]];
    own.on("error", () => {
      if (!pair.lanes[from].withholdsEnd) reset(other);
    });
    own.on("close", () => {
      if (!pair.lanes[from].withholdsEnd) other.destroySoon();
      if (!other.closed) return;
      for (const side of sides) pair.lanes[side].close();
      this.#pairs.delete(pair);
    });
  }

  #cutPair(pair: Pair, how: "fin" | "rst"): void {
    if (!this.#pairs.delete(pair)) return;
    this.cuts++;
    for (const from of sides) pair.lanes[from].close();
    for (const from of sides) {
      if (how === "rst") reset(pair[from]);
      else finish(pair[from]);
    }
  }
}

/** Ends a socket and reads on for a moment: closing one with unread bytes would reset it. */
function finish(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.removeAllListeners("drain").resume().end();
}

/** Node leaves a socket's handle open for ever that is reset after it was ended, or before it is connected. */
function reset(socket: Socket): void {
  if (socket.writableEnded || socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}
