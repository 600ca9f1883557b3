import { idProblem, isKind } from "./attributes.ts";
import { PROFILE } from "./envelope.ts";
import { LeadingAttributes } from "./leading.ts";
import type { Members } from "./members.ts";

/** An event in the form that Parley writes, taken apart. */
export interface CompactEvent {
  /** Texts among them are visible ASCII. */
  readonly attributes: Members;
  /** Whether the attributes are known to be as the profile wants them. */
  readonly checked: boolean;
  /** JSON text of the data, not checked in any way. */
  readonly data: string | undefined;
  /** Base64 text of the data, not checked in any way. */
  readonly base64: string | undefined;
}

/** Attributes, as many as there can be, without white space, escapes or values other than visible ASCII, whole numbers, true and false. */
const ATTRIBUTES = /\{(?:"[a-z0-9]+":(?:"[!#-[\]-~]*"|\d+|true|false)[,}]){1,80}/y;

const DATA = '"data":';
const BASE64 = '"data_base64":"';

/**
 * Takes an event apart without looking into its data, if it has the form in which Parley writes them: attributes without white space or
 * escapes, then the data, then nothing more. Undefined where it has not, or a name is repeated: that is for the parser to judge.
 */
export function splitCompact(text: string): CompactEvent | undefined {
  return splitUsual(text) ?? splitAny(text);
}

/**
 * What nearly every event of Parley begins with, in the order in which it is written. Checks all that the profile asks of these attributes,
 * but for the kind and the length of the id.
 */
const USUAL = /* @__PURE__ */ new RegExp(
  `^\\{"specversion":"1\\.0","parley":"${PROFILE}","id":"([!#-[\\]-~]{1,256})","source":"([!#-[\\]-~]{1,256})","type":"([!#-[\\]-~]{1,256})","kind":"([a-z-]{3,13})"` +
    '(?:,"time":"(\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z)")?(?:,"subject":"([!#-[\\]-~]{1,1024})")?' +
    '(?:,"correlationid":"([!#-[\\]-~]{1,256})")?(?:,"causationid":"([!#-[\\]-~]{1,256})")?(?:,"traceparent":"([!#-[\\]-~]{1,256})")?(?:,"replyto":"([!#-[\\]-~]{1,1024})")?' +
    '(?:,"call":([1-9]\\d{0,8}))?(?:,"seq":([1-9]\\d{0,8}))?(?:,"count":([1-9]\\d{0,8}))?(?:,"timeoutms":([1-9]\\d{0,8}))?(?:,"credit":"([\\d:]{1,64})")?(?:,"sn":([1-9]\\d{0,8}))?(?:,"ack":([1-9]\\d{0,8}))?,"data":',
);

/** Attributes are looked for in so much of a longer text. */
const HEAD_CHARS = 1_024;

/**
 * The text, or the beginning of a longer one as a copy. Attributes are cut out, and what is cut out of a text keeps it in memory (V8): whoever
 * remembers an id is not to keep 4 MiB of data with it.
 */
function headOf(text: string): string {
  return text.length > HEAD_CHARS ? `\n${text.slice(0, HEAD_CHARS)}`.slice(1) : text;
}

/** One look by a regular expression does the work of the parser and of all checks. */
function splitUsual(text: string): CompactEvent | undefined {
  const match = USUAL.exec(headOf(text));
  if (match === null || !text.endsWith("}")) return undefined;
  const [
    beginning = "",
    id = "",
    source,
    type,
    kind,
    time,
    subject,
    correlationid,
    causationid,
    traceparent,
    replyto,
    call,
    seq,
    count,
    timeoutms,
    credit,
    sn,
    ack,
  ] = match;
  if (!isKind(kind) || idProblem(id, kind) !== undefined) return undefined;
  if (count !== undefined && (kind !== "item" || seq === undefined)) return undefined;
  const attributes = new LeadingAttributes(id, source, type, kind);
  if (time !== undefined) attributes["time"] = time;
  if (subject !== undefined) attributes["subject"] = subject;
  if (correlationid !== undefined) attributes["correlationid"] = correlationid;
  if (causationid !== undefined) attributes["causationid"] = causationid;
  if (traceparent !== undefined) attributes["traceparent"] = traceparent;
  if (replyto !== undefined) attributes["replyto"] = replyto;
  if (call !== undefined) attributes["call"] = Number(call);
  if (seq !== undefined) attributes["seq"] = Number(seq);
  if (count !== undefined) attributes["count"] = Number(count);
  if (timeoutms !== undefined) attributes["timeoutms"] = Number(timeoutms);
  if (credit !== undefined) attributes["credit"] = credit;
  if (sn !== undefined) attributes["sn"] = Number(sn);
  if (ack !== undefined) attributes["ack"] = Number(ack);
  return { attributes, checked: true, data: text.slice(beginning.length, -1), base64: undefined };
}

function splitAny(text: string): CompactEvent | undefined {
  ATTRIBUTES.lastIndex = 0;
  if (!text.endsWith("}") || !ATTRIBUTES.test(text)) return undefined;
  const end = ATTRIBUTES.lastIndex;
  if (end !== text.length && text[end - 1] !== ",") return undefined;
  let data: string | undefined;
  let base64: string | undefined;
  if (text.startsWith(DATA, end)) data = text.slice(end + DATA.length, -1);
  else if (text.startsWith(BASE64, end)) {
    if (text.length < end + BASE64.length + 2 || !text.endsWith('"}')) return undefined;
    base64 = text.slice(end + BASE64.length, -2);
    if (base64.includes('"')) return undefined;
  } else if (end !== text.length) return undefined;
  const attributes = parsed(end === text.length ? text : `${text.slice(0, end - 1)}}`);
  if (attributes === undefined || jsonLength(attributes) !== end) return undefined;
  // Data that looks like the value of an attribute is among them; then no other may follow.
  if (end !== text.length && Object.hasOwn(attributes, "data")) return undefined;
  return { attributes, checked: false, data, base64 };
}

function parsed(text: string): Members | undefined {
  try {
    return JSON.parse(text) as Members;
  } catch {
    return undefined;
  }
}

/** Length of the attributes in JSON: of a name that is repeated in the text, only one is here. */
function jsonLength(attributes: Members): number {
  let length = 1;
  for (const name in attributes) {
    const value = attributes[name];
    length += name.length + 4 + (typeof value === "string" ? value.length + 2 : String(value).length);
  }
  return length;
}
