import { type ChildProcess, fork } from "node:child_process";
import type { ContenderName, Wire, Workload } from "../plan.ts";
import type { Answer, Command, Side } from "./control.ts";

/** Longest time that one command may take; a slice of work takes a few seconds. */
const COMMAND_TIMEOUT_MS = 120_000;

/** Time that a process has to end. */
const EXIT_MS = 2_000;

/** One side of a contender, in a process of its own, asked one thing at a time. */
export class SideProcess {
  readonly #what: string;
  readonly #child: ChildProcess;
  readonly #gone: PromiseWithResolvers<never> = Promise.withResolvers();
  #ended = false;

  constructor(side: Side, wire: Wire, name: ContenderName) {
    this.#what = `the ${side} process of ${name} over ${wire}`;
    const here = import.meta.url;
    this.#child = fork(new URL(here.endsWith(".ts") ? "./child.ts" : "./child.js", here), [side, wire, name], {
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#gone.promise.catch(() => {});
    this.#child.on("error", (error) => this.#end(error.message));
    this.#child.on("exit", (code, signal) => this.#end(signal ?? `exit code ${code}`));
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** @throws Error when the process fails at it, ends, or takes too long. */
  async ask<Value = void>(command: Command): Promise<Value> {
    const answered = Promise.withResolvers<Value>();
    const receive = (answer: unknown): void => {
      const message = answer as Answer; // our own process
      if ("error" in message) answered.reject(new Error(`${this.#what} failed: ${message.error}`));
      else answered.resolve(message.value as Value);
    };
    const late = `${this.#what} did not finish ${describe(command)} within ${COMMAND_TIMEOUT_MS / 1000} s`;
    const timer = setTimeout(() => answered.reject(new Error(late)), COMMAND_TIMEOUT_MS);
    try {
      this.#child.once("message", receive);
      // One that cannot be told has ended, or is about to.
      if (!this.#ended) this.#child.send(command, () => {});
      return await Promise.race([answered.promise, this.#gone.promise]);
    } finally {
      clearTimeout(timer);
      this.#child.off("message", receive);
    }
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), EXIT_MS);
    await this.ask({ name: "close" }).catch(() => {});
    // Without its parent the process ends by itself; one that hangs does not.
    if (this.#child.connected) this.#child.disconnect();
    await exited;
    clearTimeout(timer);
  }

  #end(why: string): void {
    this.#ended = true;
    this.#gone.reject(new Error(`${this.#what} ended (${why})`));
  }
}

function describe(command: Command): string {
  return command.name === "run" ? describeWork(command.work) : command.name;
}

function describeWork(work: Workload): string {
  const { does, ...rest } = work;
  const details = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return `${does} (${details.join(", ")})`;
}
