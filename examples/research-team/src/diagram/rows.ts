import type { Incident, Message, Recorded } from "../record.ts";

/** An arrow of the picture: a message, or several items of one stream in a row. */
export interface Arrow {
  readonly kind: "call" | "item" | "end" | "error";
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly wire: string;
  readonly call: string;
  /** Of each message, what it says. */
  readonly texts: string[];
  /** The same was asked for before. */
  readonly isAgain: boolean;
  /** It opens a subscription, which is nobody's work. */
  readonly isLasting: boolean;
  /** The call is over with it. */
  isLast: boolean;
}

/** A row of the picture: an arrow, or what happened to somebody. */
export type Row = Arrow | Incident;

/** What a message says, in a few words. */
export type Describe = (message: Message, isAgain: boolean) => string;

export function isArrow(row: Row): row is Arrow {
  return "from" in row;
}

/**
 * Puts events into rows, by time. Items of an answer that come one after the other share a row until somebody makes a call, or the caller
 * speaks in the same stream; so does the end that follows them. What a caller says is a row each time.
 */
export function rowsOf(events: readonly Recorded[], describe: Describe): readonly Row[] {
  const rows: Row[] = [];
  const keys = new Set<string>();
  /** Who made a call, by call. */
  const callers = new Map<string, string>();
  /** Rows that more items may join, by call. */
  const growing = new Map<string, Arrow>();
  for (const event of events.toSorted((a, b) => a.at - b.at)) {
    if (!("from" in event)) {
      rows.push(event);
      growing.clear();
      continue;
    }
    const isAgain = event.key !== undefined && keys.has(event.key);
    if (event.key !== undefined) keys.add(event.key);
    const { at, from, to, wire, call } = event;
    const kind = kindOf(event);
    if (kind === "call") callers.set(call, from);
    const before = growing.get(call);
    if (before?.from === from && (kind === "item" || event.kind === "end")) {
      if (kind === "item") before.texts.push(describe(event, isAgain));
      else before.isLast = true;
      continue;
    }
    const isLast = kind === "end" || kind === "error";
    const isLasting = event.kind === "subscribe";
    const texts = [describe(event, isAgain)];
    const arrow: Arrow = { kind, at, from, to, wire, call, texts, isAgain, isLasting, isLast };
    rows.push(arrow);
    if (kind !== "item") growing.clear();
    else if (callers.get(call) === from) growing.delete(call);
    else growing.set(call, arrow);
  }
  return rows;
}

function kindOf({ kind }: Message): Arrow["kind"] {
  switch (kind) {
    case "item":
    case "error":
      return kind;
    case "reply":
    case "end":
    case "cancel":
      return "end";
    default:
      return "call";
  }
}
