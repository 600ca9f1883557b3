import { PROFILE } from "./envelope.ts";
import type { Members } from "./members.ts";

/**
 * An ordinary object with the attributes that every event of Parley begins with, to which the others are added.
 *
 * No literal: once many of its objects have outlived a collection, as messages do while calls are under way, V8 makes all further ones of a literal in
 * the old generation. There each keeps what it holds until the next full collection (64 requests of 16 KiB in flight: a third of the bytes
 * outlived the young generation, and 2 % do; the most memory that was held is a fifth less).
 */
export const LeadingAttributes: new (id: unknown, source: unknown, type: unknown, kind: unknown) => Members =
  leadingAttributes as unknown as typeof LeadingAttributes; // a function with `this` can be called with `new`

function leadingAttributes(this: Members, id: unknown, source: unknown, type: unknown, kind: unknown): void {
  this["specversion"] = "1.0";
  this["parley"] = PROFILE;
  this["id"] = id;
  this["source"] = source;
  this["type"] = type;
  this["kind"] = kind;
}
// What it makes is of no class.
leadingAttributes.prototype = Object.prototype;
