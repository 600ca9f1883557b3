import { type ChildProcess, fork } from "node:child_process";
import type { Taken } from "../drive.ts";
import type { ContenderName, Wire, Workload } from "../plan.ts";
import type { Answer, Command, Side } from "./control.ts";

/** Longest time that one command may take; a slice of work takes a few seconds. */
const COMMAND_TIMEOUT_MS = 60_000;

/** What a slice of work took of both processes. */
export interface Sample extends Taken {
  /** CPU time of the calling and the serving process together. */
  readonly cpuSeconds: number;
}

/** A contender, alive: its serving and its calling process, connected. */
export class Party {
  readonly name: ContenderName;
  readonly #serving: Child;
  readonly #calling: Child;

  private constructor(name: ContenderName, serving: Child, calling: Child) {
    this.name = name;
    this.#serving = serving;
    this.#calling = calling;
  }

  /** Starts both processes. @throws Error with the words of the one that failed; none is left behind. */
  static async start(wire: Wire, name: ContenderName): Promise<Party> {
    const party = new Party(name, new Child("serving", wire, name), new Child("calling", wire, name));
    try {
      const url = await party.#serving.ask<string>({ name: "start" });
      await party.#calling.ask({ name: "start", url });
      return party;
    } catch (error) {
      await party.stop();
      throw error;
    }
  }

  async run(work: Workload): Promise<Sample> {
    const before = await this.#cpuSeconds();
    const taken = await this.#calling.ask<Taken>({ name: "run", work });
    return { ...taken, cpuSeconds: (await this.#cpuSeconds()) - before };
  }

  /** Closes the connection and ends both processes. */
  async stop(): Promise<void> {
    await this.#calling.stop();
    await this.#serving.stop();
  }

  async #cpuSeconds(): Promise<number> {
    const seconds = await Promise.all([
      this.#calling.ask<number>({ name: "cpu" }),
      this.#serving.ask<number>({ name: "cpu" }),
    ]);
    return seconds[0] + seconds[1];
  }
}

/** One process, asked one thing at a time. */
class Child {
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

  /** @throws Error when the process fails at it, ends, or takes too long. */
  async ask<Value = void>(command: Command): Promise<Value> {
    const answered = Promise.withResolvers<Value>();
    const receive = (answer: unknown): void => {
      const message = answer as Answer; // our own process
      if ("error" in message) answered.reject(new Error(`${this.#what} failed: ${message.error}`));
      else answered.resolve(message.value as Value);
    };
    const timer = setTimeout(
      () =>
        answered.reject(
          new Error(`${this.#what} did not finish ${describe(command)} within ${COMMAND_TIMEOUT_MS / 1000} s`),
        ),
      COMMAND_TIMEOUT_MS,
    );
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
    await this.ask({ name: "close" }).catch(() => {});
    // Without its parent the process ends by itself; one that hangs does not.
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 2_000);
    await exited;
    clearTimeout(timer);
  }

  #end(why: string): void {
    this.#ended = true;
    this.#gone.reject(new Error(`${this.#what} ended (${why})`));
  }
}

function describe(command: Command): string {
  if (command.name !== "run") return command.name;
  const { measure, size, count } = command.work;
  return `${measure} ${size} (${count})`;
}
