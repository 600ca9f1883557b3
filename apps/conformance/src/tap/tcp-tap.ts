import { connect, createServer, type Server, type Socket } from "node:net";
import type { History } from "../history.ts";
import { Capture } from "./capture.ts";
import { describeBytes, describeFrame } from "./describe.ts";
import type { Framing, Piece } from "./framing.ts";
import { type From, type Rewrite, sides, type Tap } from "./tap.ts";

const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** A TCP relay on 127.0.0.1 in front of a listener. `framing` undefined: bytes only. */
export function createTcpTap(history: History, framing: Partial<Framing> | undefined): Tap {
  return new TcpTap(history, framing);
}

interface Pair {
  readonly dialler: Socket;
  readonly listener: Socket;
  readonly framing: Partial<Framing> | undefined;
  /** The last frame from each side. */
  readonly last: Partial<Record<From, Piece>>;
}

class TcpTap implements Tap {
  readonly #history: History;
  readonly #framing: Partial<Framing> | undefined;
  readonly #captures: Record<From, Capture> = { dialler: new Capture(), listener: new Capture() };
  #ends: readonly { readonly from: From; readonly to: Socket }[] = [];
  readonly #held: Record<From, { bytes: Buffer; to: Socket }[] | undefined> = {
    dialler: undefined,
    listener: undefined,
  };
  readonly #pairs = new Set<Pair>();
  readonly #servers: Server[] = [];
  #rule: Rewrite | undefined;
  connections = 0;

  constructor(history: History, framing: Partial<Framing> | undefined) {
    this.#history = history;
    this.#framing = framing;
  }

  get frames(): boolean {
    return this.#framing?.splitter !== undefined;
  }

  async through(listener: URL): Promise<URL> {
    const target = { host: listener.hostname.replace(/^\[|\]$/g, ""), port: Number(listener.port) };
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (dialler) => this.#accept(dialler, target));
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const url = new URL(listener);
    url.host = `127.0.0.1:${(server.address() as { port: number }).port}`; // a TCP server's address is an object
    return url;
  }

  bytes(from: From): number {
    return this.#captures[from].total;
  }

  contains(from: From, text: string): boolean {
    return this.#captures[from].all().includes(text);
  }

  captured(from: From): Buffer {
    return this.#captures[from].all();
  }

  rewrite(rule: Rewrite | undefined): void {
    this.#rule = rule;
  }

  forge(frame: string, from: From): void {
    if (!this.#framing?.encode) throw new Error("this wire has no frames that could be forged");
    this.#history.note("suite", `forges ${describeFrame(frame)} from the ${from}`);
    for (const pair of this.#pairs) {
      const bytes = pair.last[from]?.forge?.(frame) ?? pair.framing?.encode?.(frame, from);
      if (bytes) opposite(pair, from).write(bytes);
    }
  }

  inject(bytes: Buffer, from: From): void {
    this.#history.note("suite", `injects ${describeBytes(bytes)} from the ${from}`);
    for (const pair of this.#pairs) opposite(pair, from).write(bytes);
  }

  hold(from: From): void {
    this.#held[from] ??= [];
  }

  held(from: From): number {
    return this.#held[from]?.reduce((sum, { bytes }) => sum + bytes.length, 0) ?? 0;
  }

  release(from: From): void {
    const held = this.#held[from] ?? [];
    this.#held[from] = undefined;
    for (const { bytes, to } of held) if (to.writable) to.write(bytes);
    const ends = this.#ends.filter((end) => end.from === from);
    this.#ends = this.#ends.filter((end) => end.from !== from);
    for (const { to } of ends) to.end();
  }

  cut(how: "fin" | "rst"): void {
    this.#history.note("suite", `cuts the connection (${how.toUpperCase()})`);
    for (const pair of this.#pairs) endPair(pair, how);
  }

  sayGoodbye(from: From): boolean {
    const bytes = this.#framing?.goodbye?.(from);
    if (bytes === undefined) return false;
    this.#history.note("suite", `ends the connection in good order in the name of the ${from}`);
    for (const pair of this.#pairs) {
      opposite(pair, from).end(bytes);
      endPair(pair, "fin");
    }
    return true;
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) endPair(pair, "rst");
    await Promise.all(
      this.#servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  }

  #accept(dialler: Socket, target: { host: string; port: number }): void {
    this.connections++;
    const listener = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const pair: Pair = { dialler, listener, framing: this.#framing?.forConnection?.() ?? this.#framing, last: {} };
    this.#pairs.add(pair);
    for (const from of sides) this.#relay(pair, from);
  }

  #relay(pair: Pair, from: From): void {
    const source = pair[from];
    const target = opposite(pair, from);
    const split = pair.framing?.splitter?.(from);
    source.on("data", (chunk: Buffer) => {
      this.#captures[from].add(chunk);
      if (!split) this.#history.note("wire", describeBytes(chunk), { from });
      for (const piece of split ? split(chunk) : [{ bytes: chunk }]) this.#pass(pair, piece, from);
      if (target.writableNeedDrain) {
        source.pause();
        target.once("drain", () => source.resume());
      }
    });
    source.on("end", () => {
      // What is held back holds back the end behind it.
      if (this.#held[from]) this.#ends = [...this.#ends, { from, to: target }];
      else target.end();
    });
    source.on("error", () => reset(target));
    source.on("close", () => {
      target.destroySoon();
      this.#pairs.delete(pair);
    });
  }

  #pass(pair: Pair, piece: Piece, from: From): void {
    const { bytes, text } = piece;
    const target = opposite(pair, from);
    if (text !== undefined) {
      pair.last[from] = piece;
      this.#history.note("wire", describeFrame(text), { from });
    }
    const rewritten = text === undefined ? undefined : this.#rule?.(text, from);
    if (rewritten === "cut") {
      endPair(pair, "fin");
      return;
    }
    const encode = (frame: string): Buffer =>
      (frame === text ? bytes : undefined) ??
      piece.encode?.(frame) ??
      pair.framing?.encode?.(frame, from) ??
      Buffer.alloc(0);
    const out = rewritten ? rewritten.map(encode) : [bytes];
    const held = this.#held[from];
    for (const one of out) {
      if (!held) {
        if (target.writable) target.write(one);
      } else if (this.held(from) + one.length <= MAX_HELD_BYTES) held.push({ bytes: one, to: target });
      else endPair(pair, "rst");
    }
  }
}

function opposite(pair: Pair, from: From): Socket {
  return from === "dialler" ? pair.listener : pair.dialler;
}

function endPair(pair: Pair, how: "fin" | "rst"): void {
  for (const socket of [pair.dialler, pair.listener]) {
    if (how === "rst") reset(socket);
    else socket.destroySoon();
  }
}

/** Node leaves a socket's handle open for ever that is reset after it was ended. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
