import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Manifest } from "@parley/core/transport";
import type { ForeignProgram } from "../subject.ts";
import type { Command, Exit } from "./control.ts";
import { exitError, type ServingEvents, type ServingLink } from "./link.ts";
import { heardEvent, type ToldEvent } from "./told-event.ts";

const MAX_LAST_WORDS = 4_000;

/** What a program in another language says of itself first. */
export interface Introduction {
  readonly name: string;
  readonly manifest: Manifest;
}

/**
 * A program in another language that serves the fixture's operations over its stdin and stdout. It finds the suite at the address in
 * `PARLEY_CONFORMANCE`, and speaks JSON lines with it there; see the README.
 */
export class ForeignProcess implements ServingLink {
  readonly child: ChildProcess;
  readonly #server: Server;
  readonly #events: ServingEvents;
  readonly #introduced = Promise.withResolvers<Introduction>();
  readonly #gone = Promise.withResolvers<void>();
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #socket: Socket | undefined;
  #number = 0;
  #stderr = "";
  exit: Exit | undefined;

  /** Starts it. */
  static async start(program: ForeignProgram, events: ServingEvents): Promise<ForeignProcess> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ForeignProcess(program, server, events);
  }

  private constructor({ command, args, directory }: ForeignProgram, server: Server, events: ServingEvents) {
    this.#server = server;
    this.#events = events;
    server.once("connection", (socket) => this.#accept(socket));
    const { port } = server.address() as { port: number }; // a TCP server's address is an object
    this.child = spawn(command, [...args], {
      cwd: directory,
      env: { ...process.env, PARLEY_CONFORMANCE: `127.0.0.1:${port}` },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_LAST_WORDS);
    });
    this.child.on("error", (error) => this.#end({ code: null, signal: null, lastWords: error.message }));
    this.child.on("close", (code, signal) => this.#end({ code, signal, lastWords: this.#stderr }));
    this.#introduced.promise.catch(() => {});
  }

  async ready(timeoutMs: number): Promise<void> {
    await this.introduction(timeoutMs);
  }

  /** What it says of itself. @throws Error when it says nothing in time. */
  async introduction(timeoutMs: number): Promise<Introduction> {
    const late = `the program did not introduce itself within ${timeoutMs} ms at the address in PARLEY_CONFORMANCE`;
    const timer = setTimeout(() => this.#introduced.reject(new Error(late)), timeoutMs);
    try {
      return await this.#introduced.promise;
    } catch (error) {
      this.child.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async ask<Value>(name: Command, ...args: readonly unknown[]): Promise<Value> {
    if (this.exit) throw exitError(this.exit);
    const value = await this.#answer(name, args);
    return value as Value; // by the name of the command
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.exit) this.child.kill(signal);
  }

  gone(): Promise<void> {
    return this.#gone.promise;
  }

  async #answer(name: Command, args: readonly unknown[]): Promise<unknown> {
    switch (name) {
      case "release":
        return this.#command({ do: "release", gates: args });
      case "stats":
        return this.#command({ do: "stats" });
      case "snapshot":
        return { resources: {}, prototype: [] };
      case "rejections":
        return [];
      case "reset":
        return undefined;
      case "close":
        this.child.stdin?.end();
        return undefined;
      default:
        throw new Error(`a program in another language is not asked for ${name}`);
    }
  }

  async #command(command: object): Promise<unknown> {
    await this.#introduced.promise;
    const number = ++this.#number;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(number, answer);
    this.#socket?.write(`${JSON.stringify({ n: number, ...command })}\n`);
    return answer.promise;
  }

  #accept(socket: Socket): void {
    this.#server.close();
    this.#socket = socket;
    socket.setNoDelay(true).on("error", () => {});
    createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })
      .on("error", () => {})
      .on("line", (line) => this.#heard(line));
  }

  #heard(line: string): void {
    let said: Partial<Introduction> & { n?: number; value?: unknown } & Partial<ToldEvent>;
    try {
      said = JSON.parse(line) as typeof said; // looked at key by key
    } catch (error) {
      return this.#introduced.reject(new Error(`the program said no JSON: ${line.slice(0, 120)}`, { cause: error }));
    }
    if (said.manifest) this.#introduced.resolve({ name: String(said.name), manifest: said.manifest });
    else if (typeof said.n === "number") {
      this.#pending.get(said.n)?.resolve(said.value);
      this.#pending.delete(said.n);
    } else this.#events.event(heardEvent(said as ToldEvent)); // nothing else is ever said
  }

  #end(exit: Exit): void {
    if (this.exit) return;
    this.exit = exit;
    this.#server.close();
    this.#socket?.destroy();
    const error = exitError(exit);
    this.#introduced.reject(error);
    for (const { reject, promise } of this.#pending.values()) {
      promise.catch(() => {});
      reject(error);
    }
    this.#gone.resolve();
    this.#events.ended(exit);
  }
}
