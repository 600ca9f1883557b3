import { attributeError } from "./attribute-error.ts";
import { checkLimits, MAX_ATTRIBUTE_CHARS, MAX_ATTRIBUTES } from "./attribute-limits.ts";
import { attributeTypes, idProblem, isAttributeName, MAX_ID_CHARS, NAME_RULE, receivedProblem } from "./attributes.ts";
import { toBase64 } from "./base64.ts";
import { encodeData } from "./data.ts";
import { type Envelope, hopAttributes, PROFILE } from "./envelope.ts";
import { isShared, sharedText } from "./shared.ts";

/** What the connection that carries a message writes into it, in place of what the message has. */
export interface HopAttributes {
  /** Number of the call on this connection. */
  readonly call?: number | undefined;
  /** Position in the stream. */
  readonly seq?: number | undefined;
  /** The number of items in the event. */
  readonly count?: number | undefined;
  /** Time left, ms. */
  readonly timeoutms?: number | undefined;
  /** Id of the opener of the call. */
  readonly inreplyto?: string | undefined;
  /** What the sender of an opener takes as an answer, on brokers. */
  readonly credit?: string | undefined;
  /** Number of the message in its session. */
  readonly sn?: number | undefined;
  /** Number of the last message of the other side that was taken over. */
  readonly ack?: number | undefined;
  /** Number of the last message of this side. */
  readonly high?: number | undefined;
  /** Name of the session. */
  readonly session?: string | undefined;
  /** How often the session has been attached to a channel. */
  readonly generation?: number | undefined;
}

/**
 * The message as one CloudEvent in JSON (CloudEvents JSON format, version 1.0), without line breaks. Attributes of the hop that brought the
 * message are left out, those in `hop` are written. Undefined and null attributes are absent; `data: null` is a value, bytes
 * become `data_base64`.
 * @throws ValidationError `not-sent` for data that JSON cannot carry and attributes that CloudEvents does not allow.
 */
export function encode(message: Envelope, hop?: HopAttributes): string {
  if (isShared(message) && keepsPlace(message)) {
    const { head, tail } = sharedText(message, () => ({ head: encodeHeader(message), tail: tailOf(message) }));
    return hop === undefined ? head + tail : head + hopOf(hop) + tail;
  }
  return encodeHeader(message, hop) + tailOf(message);
}

/** Data, and the end of the event. */
function tailOf({ data }: Envelope): string {
  if (data === undefined) return "}";
  if (data instanceof Uint8Array) return `,"data_base64":"${toBase64(data)}"}`;
  return `,"data":${encodeData(data)}}`;
}

/** Whether the message has nothing that a hop replaces. */
function keepsPlace({ seq, count, inreplyto }: Envelope): boolean {
  return seq === undefined && count === undefined && inreplyto === undefined;
}

/**
 * The same without data and without the closing brace: `${encodeHeader(message)},"data":${text}}` is an event.
 * @throws ValidationError `not-sent`
 */
export function encodeHeader(message: Envelope, hop?: HopAttributes): string {
  let text = beginningOf(message) + originOf(message);
  let count = LEADING.length;
  for (const name in message) {
    const beginning = beginnings.get(name) ?? extensionBeginning(name);
    if (beginning === "") continue;
    const value = message[name];
    if (value === undefined || value === null || (hop !== undefined && isReplaced(name, hop))) continue;
    text += name === "time" ? timeOf(value) : beginning + textOf(name, value);
    count++;
  }
  if (count > MAX_ATTRIBUTES || text.length > MAX_ATTRIBUTE_CHARS) checkLimits(message, "not-sent");
  return hop === undefined ? text : text + hopOf(hop);
}

/** The attributes that every message begins with. */
const LEADING = ["specversion", "parley", "id", "source", "type", "kind"];

/** By name: how the member begins; nothing for what stands elsewhere (leading, data) or is not forwarded (the last hop's own). */
const beginnings: ReadonlyMap<string, string> = /* @__PURE__ */ knownBeginnings();

function knownBeginnings(): ReadonlyMap<string, string> {
  return new Map([
    ...[...attributeTypes.keys()].map((name) => [name, `,"${name}":`] as const),
    ...[...LEADING, "data", ...hopAttributes].map((name) => [name, ""] as const),
  ]);
}

function extensionBeginning(name: string): string {
  if (!isAttributeName(name)) throw attributeError(name, undefined, NAME_RULE, "not-sent");
  return `,"${name}":`;
}

function beginningOf(message: Envelope): string {
  const { parley } = message;
  if (parley === PROFILE) return `{"specversion":"1.0","parley":"${PROFILE}","id":${idOf(message)}`;
  if (parley === undefined || parley === null) return `{"specversion":"1.0","id":${idOf(message)}`;
  throw attributeError("parley", parley, `must be ${PROFILE} or absent`, "not-sent");
}

function idOf({ id, kind }: Envelope): string | number {
  // Nearly all are such, and need no other check.
  if (typeof id === "string" && id.length <= MAX_ID_CHARS && PLAIN.test(id)) return `"${id}"`;
  const tooLong = idProblem(id, kind);
  if (tooLong !== undefined) throw attributeError("id", id, tooLong, "not-sent");
  return textOf("id", id);
}

/** Texts that the next message is likely to need again: the last origin of each kind, and the last time. */
const lastOrigins = new Map<
  string | undefined,
  { readonly source: string; readonly type: string; readonly text: string }
>();
let lastTime: unknown;
let lastTimeText = "";

function originOf({ source, type, kind }: Envelope): string {
  const last = lastOrigins.get(kind);
  if (last !== undefined && last.source === source && last.type === type) return last.text;
  let text = `,"source":${textOf("source", source)},"type":${textOf("type", type)}`;
  if (kind !== undefined && kind !== null) text += `,"kind":${textOf("kind", kind)}`;
  lastOrigins.set(kind, { source, type, text });
  return text;
}

function timeOf(time: unknown): string {
  if (time !== lastTime) {
    lastTimeText = `,"time":${textOf("time", time)}`;
    lastTime = time;
  }
  return lastTimeText;
}

/** Whether an attribute of a message gives way to one of the hop. */
export function isReplaced(name: string, hop: HopAttributes): boolean {
  switch (name) {
    case "seq":
      return hop.seq !== undefined;
    case "count":
      return hop.count !== undefined;
    case "inreplyto":
      return hop.inreplyto !== undefined;
    default:
      return false;
  }
}

function hopOf(hop: HopAttributes): string {
  const { call, seq, count, timeoutms, inreplyto, credit, sn, ack, high, session, generation } = hop;
  let text = "";
  if (call !== undefined) text = `,"call":${integerOf("call", call)}`;
  if (seq !== undefined) text += `,"seq":${integerOf("seq", seq)}`;
  if (count !== undefined) text += `,"count":${integerOf("count", count)}`;
  if (timeoutms !== undefined) text += `,"timeoutms":${integerOf("timeoutms", timeoutms)}`;
  if (inreplyto !== undefined) text += `,"inreplyto":${textOf("inreplyto", inreplyto)}`;
  if (credit !== undefined) text += `,"credit":${textOf("credit", credit)}`;
  if (sn !== undefined) text += `,"sn":${integerOf("sn", sn)}`;
  if (ack !== undefined) text += `,"ack":${integerOf("ack", ack)}`;
  if (high !== undefined) text += `,"high":${integerOf("high", high)}`;
  if (session !== undefined) text += `,"session":${textOf("session", session)}`;
  if (generation !== undefined) text += `,"generation":${integerOf("generation", generation)}`;
  return text;
}

/** Visible ASCII that needs no escape in JSON. */
const PLAIN = /^[!#-[\]-~]+$/;

/** The same of an integer; nearly all are what they have to be. */
function integerOf(name: string, value: number): string | number {
  return (value | 0) === value && value > 0 ? value : textOf(name, value);
}

/** JSON text of a value that the attribute may have. @throws ValidationError `not-sent` for any other */
function textOf(name: string, value: unknown): string | number {
  const problem = receivedProblem(name, value);
  if (problem !== undefined) throw attributeError(name, value, problem, "not-sent");
  if (typeof value === "number") return value;
  return typeof value === "string" && PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
}
