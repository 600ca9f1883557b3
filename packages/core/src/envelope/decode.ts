import type { ValidationError } from "../call/error.ts";
import { attributeError } from "./attribute-error.ts";
import { MAX_MEMBERS, tooMany } from "./attribute-limits.ts";
import { attributeTypes, NAME_RULE } from "./attributes.ts";
import { type CompactEvent, splitCompact } from "./compact.ts";
import { checkReceivedTexts, MAX_DEPTH, parseJson } from "./data.ts";
import type { Envelope } from "./envelope.ts";
import { bytesOf, checkMembers, checkObject, invalid, type Members, settled } from "./members.ts";
import { isDeeper, isNested, nestingOf, scan } from "./scan.ts";

/** How {@link decode} reads. */
export interface DecodeOptions {
  /** Deepest nesting of arrays and objects in the data of one message. @default 64 */
  readonly maxDepth?: number | undefined;
}

/**
 * Reads an event in CloudEvents' JSON format. An event of Parley (one with `parley`) must be as Parley writes them; of other senders all
 * that CloudEvents allows is taken, as long as the attributes that the profile names hold what it says. Null attributes are absent, unknown
 * ones stay, bytes are a `Uint8Array`, `timeoutms` is at most 2^31-1. Numbers in data become what JavaScript makes of them.
 *
 * Depth, the number of attributes and repeated names are found in the text, before anything is built from it.
 * @throws ValidationError when it is no sound event; ParleyError `failed_precondition` for another version of CloudEvents or of the
 * profile, with `details: { offered, supported }`. Neither repeats the text.
 */
export function decode(text: string, { maxDepth = MAX_DEPTH }: DecodeOptions = {}): Envelope {
  const compact = splitCompact(text);
  const event = (compact && readCompact(compact, maxDepth)) ?? readAny(text, maxDepth);
  return event as unknown as Envelope;
}

/**
 * Reads an event whose members come one by one, such as from headers: like {@link decode}, except that integers of the profile may be
 * decimal text, and that `data` is taken as it is.
 * @throws ValidationError, ParleyError `failed_precondition`
 */
export function readEvent(value: unknown): Envelope {
  checkObject(value);
  const event: Members = {};
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member === undefined) continue;
    // Assigned, it would become the prototype.
    if (name === "__proto__") throw attributeError(name, member, NAME_RULE, "rejected");
    event[name] = attributeTypes.get(name) === "integer" ? integerOf(member) : member;
  }
  checkMembers(event, false);
  return settled(event) as unknown as Envelope;
}

/** Undefined when there is more than data after the attributes. */
function readCompact({ attributes, checked, data, base64 }: CompactEvent, maxDepth: number): Members | undefined {
  if (data === undefined) {
    if (!checked) checkMembers(attributes, true);
    if (base64 !== undefined) attributes["data"] = bytesOf(base64);
    return attributes;
  }
  const bound = depthOf(attributes, maxDepth);
  const nesting = nestingOf(data, bound);
  if (nesting === "dense" && isDeeper(data, bound)) throw tooDeep(maxDepth);
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  // Only now is it known that no attribute follows the data.
  if (!checked) checkMembers(attributes, true);
  if (nesting === "sparse" && isNested(value, bound)) throw tooDeep(maxDepth);
  attributes["data"] = value;
  checkReceivedTexts(data, attributes["data"]);
  return attributes;
}

function readAny(text: string, maxDepth: number): Members {
  const { depth, members } = scan(text, maxDepth + 2, MAX_MEMBERS);
  if (members > MAX_MEMBERS) throw tooMany("rejected");
  if (depth > maxDepth + 2) throw tooDeep(maxDepth);
  const event = parseJson(text);
  checkObject(event);
  if (depth > depthOf(event, maxDepth) + 1) throw tooDeep(maxDepth);
  if (Object.keys(event).length !== members) throw invalid("the event has two members of one name");
  checkMembers(event, false);
  checkReceivedTexts(text, event["data"]);
  return settled(event);
}

/** The data of an event that holds several items is an array of them. */
function depthOf(event: Members, maxDepth: number): number {
  return typeof event["count"] === "number" ? maxDepth + 1 : maxDepth;
}

function integerOf(value: unknown): unknown {
  return typeof value === "string" && /^(?:0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
}

function tooDeep(maxDepth: number): ValidationError {
  return invalid(`data is nested deeper than ${maxDepth} levels`);
}
