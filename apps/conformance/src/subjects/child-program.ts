import { fileURLToPath } from "node:url";
import type { Connection, ConnectOptions } from "@parley/core/transport";
import type { ChildProgram, Subject, Tuning } from "../subject.ts";

/**
 * The program that a transport starts in place of the fixture: a pipe shim, which carries its stdin and stdout to where a fixture, the
 * suite's tap or a stranger listens, and ends with the connection; with exit code 69 if nobody does.
 */
export function pipeShim({ hostname, port }: URL): ChildProgram {
  const here = import.meta.url;
  const program = new URL(here.endsWith(".ts") ? "../tap/pipe-shim.ts" : "../tap/pipe-shim.js", here);
  return { command: process.execPath, args: [fileURLToPath(program), hostname, port] };
}

/** Dials a listener of a subject whose serving side is a child of whoever dials. */
export function dialChild(
  subject: Subject,
  to: URL,
  options: ConnectOptions = {},
  tuning: Tuning = {},
): Promise<Connection> {
  return dialProgram(subject, pipeShim(to), options, tuning);
}

/** Has a program of one's own started and dialled in place of the fixture. */
export function dialProgram(
  subject: Subject,
  child: ChildProgram,
  options: ConnectOptions = {},
  tuning: Tuning = {},
): Promise<Connection> {
  return subject.transport({ ...tuning, child }).connect(new URL(subject.url), options);
}
