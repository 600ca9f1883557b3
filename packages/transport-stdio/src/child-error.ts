import { existsSync } from "node:fs";
import { errorFor, ParleyError, TransportError } from "@parley/core/transport";

/** How a child ended, in the details of the error that its calls end with. */
export interface ChildEnd {
  /** Absent when a signal ended it. */
  readonly exitCode?: number;
  readonly signal?: string;
  /** The end of what it wrote to stderr; not enumerable, so it stays in this process when the error crosses a wire. */
  readonly stderr: string;
}

/** How a process ended, as Node has it. */
export function childEnd(exitCode: number | null, signal: string | null, stderr: string): ChildEnd {
  const stated = signal === null ? { exitCode: exitCode ?? 0 } : { signal };
  return Object.defineProperty({ ...stated, stderr }, "stderr", { enumerable: false });
}

/** Of a child that ended before it was asked to. */
export function endError(program: string, end: ChildEnd): ParleyError {
  const how = end.signal === undefined ? `exited with code ${end.exitCode}` : `was ended by ${end.signal}`;
  const where = end.stderr === "" ? "" : "; what it wrote to stderr is in details.stderr of this error";
  return new TransportError("unavailable", `the child process ${program} ${how}${where}`, {
    outcome: "unknown",
    details: end,
  });
}

/** Of a command that cannot be started, from what Node says of it; without its arguments, which may hold secrets. */
export function startError(program: string, cwd: string | undefined, cause: unknown): ParleyError {
  const { code, message = String(cause) } = cause as { readonly code?: string; readonly message?: string };
  if (cause instanceof Error) Reflect.deleteProperty(cause, "spawnargs");
  const options = { outcome: "not-sent", cause } as const;
  const where = cwd === undefined ? "" : ` in ${cwd}`;
  switch (code) {
    case "ENOENT":
      return new ParleyError("not_found", notFound(program, cwd), options);
    case "EACCES":
    case "EPERM":
      return errorFor("permission_denied", `the command ${program} may not be executed${where} (${code})`, options);
    case "EAGAIN":
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
      return errorFor("unavailable", `the command ${program} could not be started now (${code})`, options);
    default:
      return errorFor("invalid_argument", `the command ${program} cannot be started${where}: ${message}`, options);
  }
}

function notFound(program: string, cwd: string | undefined): string {
  // Node says the same of both.
  if (cwd !== undefined && !existsSync(cwd))
    return `the working directory ${cwd} of the command ${program} does not exist`;
  const advice = /\s/.test(program)
    ? 'arguments are texts of their own, as in ["node", "agent.js"]'
    : "check its name, and PATH";
  return `the command ${program} was not found${cwd === undefined ? "" : ` in ${cwd}`}: ${advice}`;
}
