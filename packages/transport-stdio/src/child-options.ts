import { type Credentials, ParleyError } from "@parley/core/transport";
import type { StartLimit } from "./start-limit.ts";

/** A program and its arguments, `["node", "agent.js"]`. Started as it stands, without a shell: nothing in it is expanded or split. */
export type Command = readonly [program: string, ...args: string[]];

/** How a child is started and ended. */
export interface ChildOptions {
  /** Its working directory. @default this process's */
  readonly cwd?: string | undefined;
  /**
   * Its environment, beside the few harmless variables that it inherits (`PATH`, `HOME`, `LANG`, …). Everything else in this process's
   * environment stays here.
   */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What it gets in the variable {@link credentialVariable}, asked for anew each time that one is started. */
  readonly credentials?: Credentials | undefined;
  /** Its environment variable that bears the credential, such as `"API_TOKEN"`. Needed with `credentials`. */
  readonly credentialVariable?: string | undefined;
  /** Time that it has to exit once its stdin has ended, ms; then SIGTERM goes to its process group, and as long after that SIGKILL. @default 2_000 */
  readonly exitMs?: number | undefined;
  /** How often it may be started; beyond that `unavailable`, with `retryAfterMs`. @default no bound */
  readonly startLimit?: StartLimit | undefined;
}

/** @throws ParleyError `invalid_argument`; `example` says how to give one. */
export function requireCommand(command: unknown, example: string): asserts command is Command {
  // Callers without types write a command line.
  if (Array.isArray(command) && command[0] && command.every((part) => typeof part === "string")) return;
  // Not shown: arguments may hold secrets.
  const problem = command === undefined ? "no command to start" : "the command is no list of texts";
  throw new ParleyError("invalid_argument", `${problem}; say ${example}`, { outcome: "not-sent" });
}
