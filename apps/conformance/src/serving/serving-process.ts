import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  type Command,
  type CommandMessage,
  type Exit,
  ORDER,
  type ServingMessage,
  type ServingOrder,
} from "./control.ts";
import { exitError, type ServingEvents, type ServingLink } from "./link.ts";

const MAX_LAST_WORDS = 4_000;

/** A process of this package's own that holds a fixture, and the IPC channel to it. */
export class ServingProcess implements ServingLink {
  readonly child: ChildProcess;
  readonly #events: ServingEvents;
  readonly #pending = new Map<number, PromiseWithResolvers<never>>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #number = 0;
  #stderr = "";
  #exit: Exit | undefined;

  constructor(order: ServingOrder, events: ServingEvents) {
    const here = import.meta.url;
    const program = fileURLToPath(new URL(here.endsWith(".ts") ? "./process.ts" : "./process.js", here));
    const wire = order.pipes ? "pipe" : "ignore";
    this.#events = events;
    this.child = spawn(process.execPath, [program], {
      env: { ...process.env, [ORDER]: JSON.stringify(order) },
      serialization: "advanced",
      stdio: [wire, wire, "pipe", "ipc"],
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_LAST_WORDS);
    });
    this.child.on("message", (message) => this.#receive(message as ServingMessage)); // our own process
    this.child.on("error", (error) => this.#end({ code: null, signal: null, lastWords: error.message }));
    this.child.on("close", (code, signal) => this.#end({ code, signal, lastWords: this.#stderr }));
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Resolves when it takes commands. @throws Error when it ends before that, with what it wrote to stderr. */
  async ready(timeoutMs: number): Promise<void> {
    const timer = setTimeout(
      () => this.#ready.reject(new Error(`the serving process was not ready within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      await this.#ready.promise;
    } catch (error) {
      this.child.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  ask<Value>(name: Command, ...args: readonly unknown[]): Promise<Value> {
    if (this.#exit) return Promise.reject(exitError(this.#exit));
    const message: CommandMessage = { type: "command", number: ++this.#number, name, args };
    const answer = Promise.withResolvers<never>();
    this.#pending.set(message.number, answer);
    // What cannot be sent goes to a process that is about to end, which fails all that is asked of it.
    this.child.send(message, () => {});
    return answer.promise as Promise<Value>; // both ends are this package
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#exit) this.child.kill(signal);
  }

  /** Resolves when it is gone. */
  gone(): Promise<void> {
    return this.#gone.promise;
  }

  #receive(message: ServingMessage): void {
    if (message.type === "ready") return this.#ready.resolve();
    if (message.type === "event") return this.#events.event(message.event);
    if (message.type === "rejection") return this.#events.rejection?.(message.rejection);
    const pending = this.#pending.get(message.number);
    this.#pending.delete(message.number);
    if (message.type === "result") pending?.resolve(message.value as never);
    else pending?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }

  #end(exit: Exit): void {
    if (this.#exit) return;
    this.#exit = exit;
    const error = exitError(exit);
    this.#ready.promise.catch(() => {});
    this.#ready.reject(error);
    for (const { reject, promise } of this.#pending.values()) {
      promise.catch(() => {});
      reject(error);
    }
    this.#pending.clear();
    this.#gone.resolve();
    this.#events.ended(exit);
  }
}
