import type { Envelope, FollowerKind } from "./envelope.ts";
import { LeadingAttributes } from "./leading.ts";

/** The part of an opener that what follows it repeats. */
export type Opener = Pick<Envelope, "id" | "type">;

/** `<opener>.r` answers; the one reply of a call. Without data it only accepts a stream. */
export function reply(opener: Opener, source: string, data?: unknown): Envelope {
  return follower("reply", `${opener.id}.r`, opener, source, data);
}

/** An item from the caller. `seq` counts from 1. */
export function callerItem(opener: Opener, source: string, seq: number, data: unknown): Envelope {
  return follower("item", `${opener.id}.c${seq}`, opener, source, data);
}

/** An item from the answerer. `seq` counts from 1. */
export function answererItem(opener: Opener, source: string, seq: number, data: unknown): Envelope {
  return follower("item", `${opener.id}.s${seq}`, opener, source, data);
}

/** The regular end of one direction of a stream. */
export function end(opener: Opener, source: string): Envelope {
  return follower("end", `${opener.id}.e`, opener, source, undefined);
}

/** Makes any follower; `data` undefined is absent data. */
export function follower(kind: FollowerKind, id: string, opener: Opener, source: string, data: unknown): Envelope {
  const event = new LeadingAttributes(id, source, opener.type, kind);
  if (data !== undefined) event["data"] = data;
  return event as unknown as Envelope; // all that one must have
}
