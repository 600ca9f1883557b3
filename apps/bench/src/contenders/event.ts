import { randomUUID } from "node:crypto";
import type { Payload } from "../payload.ts";

/** Operations that every contender serves: an echo, a stream of so many items, and topics. */
export const ECHO = "bench.echo.v1";
export const STREAM = "bench.stream.v1";
export const STATUS = "bench.status.v1";

/** `source` of what the contenders send. */
export const CALLER = "/bench/caller";
export const ANSWERER = "/bench/answerer";

/** Where a topic's publications go. */
export function subjectOf(topic: string): string {
  return `bench/${topic}`;
}

/** The event that raw code sends: what Parley's envelope holds, made as one makes it without Parley. */
export interface Event {
  readonly specversion: "1.0";
  readonly parley: "1";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly kind: string;
  readonly time?: string | undefined;
  readonly subject?: string | undefined;
  readonly seq?: number | undefined;
  readonly call?: number | undefined;
  readonly replyto?: string | undefined;
  readonly data?: unknown;
}

/** The first event of a call; `attributes` holds what only some have. */
export function opener(kind: string, type: string, attributes: Partial<Event>): Event {
  return {
    specversion: "1.0",
    parley: "1",
    id: randomUUID(),
    source: CALLER,
    type,
    kind,
    time: new Date().toISOString(),
    ...attributes,
  };
}

/** The reply to a request, with the same data; the acceptance of a subscription has none. */
export function answer({ id, type, call, data }: Event): Event {
  return { specversion: "1.0", parley: "1", id: `${id}.r`, source: ANSWERER, type, kind: "reply", call, data };
}

/** An item of a stream. */
export function item({ id, type, call }: Event, seq: number, data: Payload): Event {
  return {
    specversion: "1.0",
    parley: "1",
    id: `${id}.s${seq}`,
    source: ANSWERER,
    type,
    kind: "item",
    call,
    seq,
    data,
  };
}
