import type { Size } from "./plan.ts";

/** The data of every message: some fields, and a number that proves which message an answer belongs to. */
export interface Payload {
  readonly serial: number;
  readonly [field: string]: unknown;
}

/** Asks for a stream of so many items. */
export interface StreamRequest {
  readonly size: Size;
  readonly items: number;
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

/** Data of about 200 bytes, or 16 KiB of structured rows, as JSON. */
export function payload(size: Size, serial: number): Payload {
  return { serial, ...contents[size] };
}

/** The number that came back with some data. */
export function serialOf(data: unknown): unknown {
  return (data as Partial<Payload> | undefined)?.serial;
}
