import type { Readable } from "node:stream";
import type { Log } from "@parley/core/transport";
import { LineSplitter } from "./line-splitter.ts";

/** Longest line of a child's stderr that is logged whole. */
const MAX_LOG_BYTES = 8 * 1024;

/** Tells the log each line that a child writes to stderr. */
export function logLines(stderr: Readable, program: string, log: Log): void {
  const tell = (bytes: Buffer): void => {
    const message = bytes.toString().trimEnd();
    if (message) log({ level: "info", event: "child-stderr", message, fields: { program } });
  };
  const lines = new LineSplitter(MAX_LOG_BYTES, { line: tell, tooLong: tell });
  stderr.on("data", (chunk: Buffer) => lines.push(chunk));
  stderr.once("end", () => lines.end());
}
