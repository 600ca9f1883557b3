import type { MemoryTap, Transport } from "@parley/core/transport";

/**
 * How the suite can listen in.
 * - `websocket`, `lines`: TCP; frames are text messages, or lines, and single ones can be rewritten and forged.
 * - `http`: TCP; bytes only, but the suite knows how a chunked body ends in good order.
 * - `bytes`: TCP; bytes only.
 * - `in-process`: no bytes; both sides live in one process and the transport hands every frame to the tap it is given.
 */
export type Tapping = "websocket" | "lines" | "http" | "bytes" | "in-process";

/** What the suite needs to know of a transport to test it. A module exports it as `subject`. */
export interface Subject {
  /** Heads the column of the report. */
  readonly name: string;
  /** Makes the transport; called once in each of the two processes (once in all when `in-process`). */
  transport(options: SubjectOptions): Transport;
  /** Where the serving side listens; for TCP on 127.0.0.1 with port 0. */
  readonly url: string;
  readonly tapping: Tapping;
  /** The calls of all connections reach the handler over one connection, as behind a relay. @default false */
  readonly shared?: boolean;
}

/** What the suite gives a subject. */
export interface SubjectOptions {
  /** Only `in-process`: to be told of every frame. */
  readonly tap?: MemoryTap | undefined;
}

/** What is wrong with an exported subject, a sentence each. Empty means it can be tested. */
export function subjectProblems(subject: unknown): readonly string[] {
  if (typeof subject !== "object" || subject === null) return ["the module exports no object named `subject`"];
  const { name, transport, url, tapping } = subject as Partial<Record<keyof Subject, unknown>>;
  return [
    ...(typeof name === "string" && /^[\w.-]{1,24}$/.test(name)
      ? []
      : ["subject.name must be 1 to 24 letters, digits, `.`, `_` or `-`"]),
    ...(typeof transport === "function" ? [] : ["subject.transport must be a function that makes the Transport"]),
    ...(typeof url === "string" && URL.canParse(url) ? [] : ['subject.url must be a URL, such as "ws://127.0.0.1:0"']),
    ...(tappings.includes(tapping as Tapping) ? [] : [`subject.tapping must be one of ${tappings.join(", ")}`]),
  ];
}

const tappings: readonly Tapping[] = ["websocket", "lines", "http", "bytes", "in-process"];
