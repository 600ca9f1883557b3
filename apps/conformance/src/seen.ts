import { createHash } from "node:crypto";
import { type Envelope, hopAttributes, type ParleyError } from "@parley/core/transport";
import type { Called, HandlerEvent } from "./serving/control.ts";

/** What both ends saw of a scenario, without ids, times and addresses: the same on every wire (G-09). */
export interface Seen {
  /** Of all calls, 16 hexadecimal digits. */
  readonly hash: string;
  /** A line per call, in the order in which they were made: operation, how it ended for its caller, and hashes of what both ends saw. */
  readonly calls: readonly string[];
}

/** What one call's caller saw of it. */
export class SeenCall {
  readonly #kind: string;
  readonly #operation: string;
  readonly #id: string;
  readonly #items: string[] = [];
  #count = 0;
  #end = "is open";
  #said = "";
  #answered = false;

  constructor({ kind, type, id }: Envelope) {
    this.#kind = String(kind);
    this.#operation = type;
    this.#id = id;
  }

  answered(message: Envelope | undefined): void {
    this.#answered = true;
    this.#end = "answered";
    this.#said = message ? canonical(essence(message)) : "";
  }

  item(message: Envelope): void {
    this.#count++;
    this.#items.push(shortHash(canonical(essence(message))));
  }

  ended(): void {
    this.#answered = true;
    this.#end = `end after ${this.#count} items`;
  }

  /** Only what a handler said is said in the same words on every wire. */
  failed({ code, outcome, message, details, retryAfterMs }: ParleyError): void {
    this.#answered = outcome === "rejected";
    this.#end = `${code}, ${outcome}${this.#count > 0 ? `, after ${this.#count} items` : ""}`;
    if (this.#answered) this.#said = canonical([message, details, retryAfterMs]);
  }

  /** The line of this call. Of a call without an answer, what became of it at the handler is left to chance. */
  line(events: readonly HandlerEvent[]): string {
    const runs = this.#answered ? events.filter(({ call, what }) => call === this.#id && what === "called") : [];
    const handled = runs.map(({ detail }) => {
      const { kind, message, remainingMs } = detail as Called; // what "called" carries
      return canonical([kind, essence(message), remainingMs !== undefined]);
    });
    const caller = shortHash(canonical([this.#said, this.#items]));
    const handler = this.#answered ? ` ${handled.length} run ${shortHash(canonical(handled))}` : "";
    return `${this.#kind} ${this.#operation}: ${this.#end} ${caller};${handler}`;
  }
}

/** What was seen of all calls. */
export function seen(calls: readonly SeenCall[], events: readonly HandlerEvent[]): Seen {
  const lines = calls.map((call) => call.line(events));
  return { hash: shortHash(lines.join("\n")), calls: lines };
}

/** Differ from one run, and one wire, to the next. */
const passing = new Set(["id", "inreplyto", "time", "replyto", ...hopAttributes]);
/** The same within the fixture's data. */
const passingData = new Set(["remainingMs", "address"]);

function essence(message: Envelope): Record<string, unknown> {
  return Object.fromEntries(Object.entries(message).filter(([name]) => !passing.has(name)));
}

/** One text for equal values, whatever the order of keys. */
export function canonical(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([key, own]) => !passingData.has(key) && own !== undefined);
    return `{${entries.map(([key, own]) => `${JSON.stringify(key)}:${canonical(own)}`).sort()}}`;
  }
  if (Object.is(value, -0)) return "-0";
  return typeof value === "bigint" ? `${value}n` : `${JSON.stringify(value)}`;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
