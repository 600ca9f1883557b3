import type { ChildProcess } from "node:child_process";
import type { Command, Exit, HandlerEvent } from "./control.ts";

/** What is to be told of a serving process. */
export interface ServingEvents {
  event(event: HandlerEvent): void;
  rejection?(rejection: string): void;
  /** Once, when it is gone. */
  ended(exit: Exit): void;
}

/** One process that holds a fixture, and how it is asked. */
export interface ServingLink {
  readonly child: ChildProcess;
  /** How it ended, once it has. */
  readonly exit: Exit | undefined;
  /** Resolves when it takes commands. @throws Error when it ends before that, with what it wrote to stderr. */
  ready(timeoutMs: number): Promise<void>;
  ask<Value>(name: Command, ...args: readonly unknown[]): Promise<Value>;
  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it is gone. */
  gone(): Promise<void>;
}

/** What asking a process that is gone fails with. */
export function exitError({ code, signal, lastWords }: Exit): Error {
  const words = lastWords.trimEnd();
  return new Error(`the serving process ended (${signal ?? `exit code ${code}`})${words === "" ? "" : `:\n${words}`}`);
}
