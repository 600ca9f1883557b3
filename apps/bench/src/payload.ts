import type { Content, Size } from "./plan.ts";

/** The data of every message: some fields, and a number that proves which message an answer belongs to. */
export interface Payload {
  readonly serial: number;
  readonly [field: string]: unknown;
}

/** Asks for a stream of so many items. */
export interface StreamRequest {
  readonly content: Content;
  readonly items: number;
}

/** Small data, as a language with types has it. */
export interface SmallPayload extends Payload {
  readonly agent: string;
  readonly task: string;
  readonly text: string;
  readonly language: string;
  readonly temperature: number;
  readonly tags: string[];
}

const fields = {
  agent: "summarizer",
  task: "summarize",
  text: "Parley lets agents talk over any wire with one envelope and one model of calls.",
  language: "en",
  temperature: 0.25,
  tags: ["news", "daily"],
};

const LARGE_ROWS = 80;

const contents: Readonly<Record<Size, Readonly<Record<string, unknown>>>> = {
  small: fields,
  large: { rows: Array.from({ length: LARGE_ROWS }, (_, row) => ({ row, ...fields })) },
};

/** The last text that was asked for by its length. */
let text = "";

/** Data of about 200 bytes, or 16 KiB of structured rows, or a text of so many bytes, as JSON. */
export function payload(content: Content, serial: number): Payload {
  if (typeof content !== "number") return { serial, ...contents[content] };
  if (text.length !== content) text = Buffer.alloc(content, "x").toString("latin1");
  return { serial, text };
}

/** The same as `payload("small", serial)`. */
export function smallPayload(serial: number): SmallPayload {
  return { serial, ...fields };
}

/** The number that came back with some data. */
export function serialOf(data: unknown): unknown {
  return (data as Partial<Payload> | undefined)?.serial;
}
