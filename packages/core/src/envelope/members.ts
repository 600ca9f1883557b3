import { ParleyError, ValidationError } from "../call/error.ts";
import { attributeError } from "./attribute-error.ts";
import { checkLimits, MAX_ATTRIBUTE_CHARS, MAX_ATTRIBUTES } from "./attribute-limits.ts";
import {
  attributeTypes,
  idProblem,
  isAttributeName,
  MAX_ID_CHARS,
  MAX_INTEGER,
  NAME_RULE,
  receivedProblem,
} from "./attributes.ts";
import { fromBase64 } from "./base64.ts";
import { PROFILE } from "./envelope.ts";

/** The members of an event as they arrived. */
export type Members = Record<string, unknown>;

/** @throws ValidationError when the value is no JSON object. */
export function checkObject(value: unknown): asserts value is Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw invalid("an event is a JSON object, and this is none");
}

/**
 * Checks the members of an event that has arrived: names, types, versions, bounds. Limits `timeoutms` to what an integer can be. `plain` says
 * that all text in the attributes is known to be visible ASCII.
 * @throws ValidationError; ParleyError `failed_precondition` for another version of CloudEvents or of the profile
 */
export function checkMembers(event: Members, plain: boolean): void {
  checkVersions(event);
  let count = 0;
  let chars = 0;
  for (const name in event) {
    const value = event[name];
    if (name === "data" || name === "data_base64" || value === null) continue;
    count++;
    chars += name.length + (typeof value === "string" ? value.length : 0);
    const type = attributeTypes.get(name);
    if (plain && typeof value === "string" && (type === "text" || (type === "identity" && isShort(value)))) continue;
    if (name === "timeoutms" && typeof value === "number" && value > MAX_INTEGER) {
      event[name] = MAX_INTEGER;
      continue;
    }
    if (type === undefined && !isAttributeName(name)) throw attributeError(name, value, NAME_RULE, "rejected");
    const problem = receivedProblem(name, value);
    if (problem !== undefined) throw attributeError(name, value, problem, "rejected");
  }
  if (count > MAX_ATTRIBUTES || chars > MAX_ATTRIBUTE_CHARS) checkLimits(event, "rejected");
  checkWhole(event);
}

/** Non-empty, and no longer than an id may be. */
function isShort(value: string): boolean {
  return value !== "" && value.length <= MAX_ID_CHARS;
}

function checkVersions({ specversion, parley }: Members): void {
  if (specversion !== "1.0") throw unsupported("CloudEvents (specversion)", specversion, "1.0");
  if (parley !== PROFILE && parley !== undefined && parley !== null) {
    throw unsupported("Parley's profile (parley)", parley, PROFILE);
  }
}

/** What concerns more than one member. */
function checkWhole(event: Members): void {
  const { id, source, type, kind, parley, count, seq } = event;
  if (typeof id !== "string") throw missing("id");
  const tooLong = idProblem(id, kind);
  if (tooLong !== undefined) throw attributeError("id", id, tooLong, "rejected");
  if (typeof source !== "string") throw missing("source");
  if (typeof type !== "string") throw missing("type");
  if (parley === PROFILE && typeof kind !== "string") throw missing("kind");
  if (typeof count === "number" && (kind !== "item" || typeof seq !== "number")) {
    throw invalid("an event that holds several items (count) is of kind item and has a seq");
  }
}

/**
 * The members as an envelope has them: without null attributes, with bytes for their base64 text. The same object where nothing changes.
 * @throws ValidationError
 */
export function settled(event: Members): Members {
  let same = true;
  for (const name in event) if (name === "data_base64" || (event[name] === null && name !== "data")) same = false;
  if (same) return event;
  const envelope: Members = {};
  for (const name in event) {
    const value = event[name];
    if (name === "data_base64") {
      if (value === null) continue;
      if (event["data"] !== undefined) throw invalid("the event has both data and data_base64");
      envelope["data"] = bytesOf(value);
    } else if (value !== null || name === "data") envelope[name] = value;
  }
  return envelope;
}

/** The bytes of `data_base64`. @throws ValidationError */
export function bytesOf(base64: unknown): Uint8Array {
  const bytes = typeof base64 === "string" ? fromBase64(base64) : undefined;
  if (bytes === undefined) throw invalid("data_base64 is no base64 text with padding (RFC 4648, section 4)");
  return bytes;
}

function missing(name: string): ValidationError {
  return new ValidationError(`the event has no ${name}`, [{ message: "is missing", path: [name] }]);
}

/** The error for an event that is wrong as a whole. */
export function invalid(message: string): ValidationError {
  return new ValidationError(message, [{ message, path: [] }]);
}

function unsupported(what: string, value: unknown, supported: string): ParleyError {
  const offered =
    typeof value === "string" ? value.slice(0, 64) : value === undefined ? "none" : `a value of type ${typeof value}`;
  return new ParleyError(
    "failed_precondition",
    `the event is of version ${JSON.stringify(offered)} of ${what}, and this side reads ${supported}`,
    {
      details: { offered, supported: [supported] },
    },
  );
}
