import { type ChildProcess, fork } from "node:child_process";
import type { ConnectionStats } from "@parley/core/transport";
import type { Snapshot } from "../hygiene.ts";
import type { Command, CommandMessage, Exit, HandlerEvent, ListenRequest, Serving, ServingMessage } from "./control.ts";

const MAX_EVENTS = 100_000;
const MAX_LAST_WORDS = 4_000;

/**
 * Starts the serving side in a process of its own; resolves when it takes commands.
 * @param module URL of the module that exports the subject.
 * @throws Error when it ends before that, with what it wrote to stderr.
 */
export async function forkServing(module: string, startTimeoutMs: number): Promise<Serving> {
  const here = import.meta.url;
  const child = fork(new URL(here.endsWith(".ts") ? "./process.ts" : "./process.js", here), [module], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: [],
  });
  const serving = new ForkedServing(child);
  await serving.ready(startTimeoutMs);
  return serving;
}

interface Pending {
  resolve(value: never): void;
  reject(reason: Error): void;
}

class ForkedServing implements Serving {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #events: HandlerEvent[] = [];
  #listener: ((event: HandlerEvent) => void) | undefined;
  #number = 0;
  #stderr = "";
  #stopping = false;
  exited: Exit | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_LAST_WORDS);
    });
    child.on("message", (message) => this.#receive(message as ServingMessage)); // our own process
    child.on("error", (error) => this.#end(null, null, error.message));
    child.on("close", (code, signal) => this.#end(code, signal, this.#stderr));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get events(): readonly HandlerEvent[] {
    return this.#events;
  }

  async ready(timeoutMs: number): Promise<void> {
    const timer = setTimeout(
      () => this.#ready.reject(new Error(`the serving process was not ready within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      await this.#ready.promise;
    } catch (error) {
      this.#child.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  onEvent(listener: ((event: HandlerEvent) => void) | undefined): void {
    this.#listener = listener;
  }

  listen(request: ListenRequest = {}): Promise<string> {
    return this.#ask("listen", request);
  }

  release(...gates: readonly string[]): Promise<void> {
    return this.#ask("release", ...gates);
  }

  stats(): Promise<ConnectionStats> {
    return this.#ask("stats");
  }

  snapshot(): Promise<Snapshot> {
    return this.#ask("snapshot");
  }

  rejections(): Promise<readonly string[]> {
    return this.#ask("rejections");
  }

  close(graceMs: number): Promise<void> {
    return this.#ask("close", graceMs);
  }

  async reset(): Promise<void> {
    await this.#ask("reset");
    this.#events = [];
  }

  async stop(): Promise<void> {
    if (this.exited) return;
    this.#stopping = true;
    this.#child.kill("SIGKILL");
    await this.#gone.promise;
  }

  #ask<Value>(name: Command, ...args: readonly unknown[]): Promise<Value> {
    if (this.exited) return Promise.reject(this.#exitError());
    const message: CommandMessage = { type: "command", number: ++this.#number, name, args };
    return new Promise<Value>((resolve, reject) => {
      this.#pending.set(message.number, { resolve, reject });
      this.#child.send(message, (error) => {
        if (error && this.#pending.delete(message.number)) reject(error);
      });
    });
  }

  #receive(message: ServingMessage): void {
    if (message.type === "ready") return this.#ready.resolve();
    if (message.type === "event") {
      if (this.#events.length < MAX_EVENTS) this.#events.push(message.event);
      this.#listener?.(message.event);
      return;
    }
    const pending = this.#pending.get(message.number);
    this.#pending.delete(message.number);
    if (message.type === "result") pending?.resolve(message.value as never);
    else pending?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }

  #end(code: number | null, signal: string | null, lastWords: string): void {
    if (this.exited) return;
    this.exited = { code, signal, lastWords };
    const error = this.#exitError();
    this.#ready.reject(error);
    this.#ready.promise.catch(() => {});
    for (const { reject } of this.#pending.values()) if (!this.#stopping) reject(error);
    this.#pending.clear();
    this.#gone.resolve();
  }

  #exitError(): Error {
    const { code, signal, lastWords } = this.exited ?? { code: null, signal: null, lastWords: "" };
    return new Error(
      `the serving process ended (${signal ?? `exit code ${code}`})${lastWords ? `:\n${lastWords.trimEnd()}` : ""}`,
    );
  }
}
