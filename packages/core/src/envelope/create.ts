import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { attributeError } from "./attribute-error.ts";
import { checkLimits } from "./attribute-limits.ts";
import { attributeProblem, idProblem, isAttributeName, NAME_RULE } from "./attributes.ts";
import { type Envelope, type Kind, PROFILE } from "./envelope.ts";
import { newId } from "./id.ts";
import { LeadingAttributes } from "./leading.ts";
import { isJsonType } from "./media-type.ts";

/** What a message is made from: attributes of {@link Envelope} and extensions; those that are undefined are absent. */
export interface EnvelopeInit {
  readonly kind: Kind;
  /** Operation and its major version, such as `text.summarize.v1`. */
  readonly type: string;
  /** The sender; a URI-reference. */
  readonly source: string;
  /** @default a new UUIDv7 */
  readonly id?: string | undefined;
  /** @default now */
  readonly time?: string | undefined;
  /** Any JSON value, or bytes; text, where `datacontenttype` says so. Checked when it is encoded. */
  readonly data?: unknown;
  readonly [attribute: string]: unknown;
}

let lastMs = Number.NaN;
let lastTimestamp = "";

/** The present time as messages have it: RFC 3339 in UTC, with milliseconds. Made once a millisecond. */
export function timestamp(runtime: Pick<Runtime, "date"> = systemRuntime): string {
  const ms = runtime.date();
  if (ms !== lastMs) {
    lastTimestamp = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastTimestamp;
}

/**
 * Makes a message, with the attributes that every one has. `specversion` and `parley` are always those of this version of core.
 * @throws ValidationError, outcome `not-sent`, that names the attribute, its value and the rule it breaks.
 */
export function createEnvelope(init: EnvelopeInit, runtime: Runtime = systemRuntime): Envelope {
  const { id = newId(runtime), source, type, kind, time = timestamp(runtime), data } = init;
  const envelope = new LeadingAttributes(id, source, type, kind);
  envelope["time"] = time;
  for (const name of Object.keys(init)) {
    const value = init[name];
    if (name === "data" || value === undefined) continue;
    if (!isAttributeName(name)) throw attributeError(name, value, NAME_RULE, "not-sent");
    envelope[name] = value;
  }
  checkAttributes(envelope, init);
  if (data !== undefined) {
    checkType(data, envelope["datacontenttype"]);
    envelope["data"] = data;
  }
  return envelope as unknown as Envelope;
}

/** What was made here needs no check; what the caller gave, or should have given, does. */
function checkAttributes(attributes: Readonly<Record<string, unknown>>, given: EnvelopeInit): void {
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (value !== undefined && given[name] === undefined) continue;
    const problem = fixedProblem(name, value) ?? attributeProblem(name, value);
    if (problem !== undefined) throw attributeError(name, value, problem, "not-sent");
  }
  const tooLong = idProblem(attributes["id"], attributes["kind"]);
  if (tooLong !== undefined) throw attributeError("id", attributes["id"], tooLong, "not-sent");
  checkLimits(attributes, "not-sent");
}

function fixedProblem(name: string, value: unknown): string | undefined {
  if (name === "specversion" && value !== "1.0") return "must be 1.0";
  if (name === "parley" && value !== PROFILE) return `must be ${PROFILE}`;
  return undefined;
}

function checkType(data: unknown, datacontenttype: unknown): void {
  if (typeof datacontenttype !== "string" || isJsonType(datacontenttype)) return;
  if (typeof data === "string" || data instanceof Uint8Array) return;
  const problem = "must be a JSON type, unless data is text or a Uint8Array";
  throw attributeError("datacontenttype", datacontenttype, problem, "not-sent");
}
