import { callKinds, followerKinds, type Kind, sessionKinds } from "./envelope.ts";

/** Longest `id` of an opener or a foreign event, characters. */
export const MAX_ID_CHARS: number = 256;

/** What follows an opener adds a letter and a number to its id: `.s2147483647`. */
const MAX_SUFFIX_CHARS = 12;

/** Greatest integer that an attribute holds (CloudEvents 1.0, "Type System": signed 32 bits). */
export const MAX_INTEGER: number = 2 ** 31 - 1;

/**
 * - `identity`: visible ASCII and never empty, so that it fits headers, topics, logs and event ids of every wire.
 * - `text`: a CloudEvents String.
 * - `integer`: a whole number from 0 to 2^31-1, as all integers of the profile are.
 * - `timestamp`: RFC 3339.
 */
export type AttributeType = "identity" | "text" | "kind" | "integer" | "timestamp";

/** The attributes that the profile names, and what each holds. Others hold any {@link AttributeValue}. */
export const attributeTypes: ReadonlyMap<string, AttributeType> = new Map<string, AttributeType>([
  ["specversion", "text"],
  ["parley", "text"],
  ["id", "identity"],
  ["source", "identity"],
  ["type", "identity"],
  ["kind", "kind"],
  ["time", "timestamp"],
  ["datacontenttype", "text"],
  ["dataschema", "text"],
  ["subject", "text"],
  ["correlationid", "text"],
  ["causationid", "text"],
  ["call", "integer"],
  ["inreplyto", "text"],
  ["seq", "integer"],
  ["count", "integer"],
  ["replyto", "text"],
  ["target", "text"],
  ["timeoutms", "integer"],
  ["expirytime", "timestamp"],
  ["idempotencykey", "text"],
  ["attempt", "integer"],
  ["agems", "integer"],
  ["traceparent", "text"],
  ["tracestate", "text"],
  ["partitionkey", "text"],
  ["sn", "integer"],
  ["ack", "integer"],
  ["high", "integer"],
  ["session", "text"],
  ["generation", "integer"],
]);

const followers: ReadonlySet<unknown> = new Set(followerKinds);
const kinds: ReadonlySet<unknown> = new Set<Kind>([...callKinds, ...followerKinds, ...sessionKinds]);

/** What is wrong with any other name, as the end of a sentence. */
export const NAME_RULE: string =
  "must have a name of 1 to 20 characters of a-z and 0-9, other than data, constructor and prototype";

const NAME = /^[a-z0-9]{1,20}$/;

/** Fit the grammar of names, and would be taken for something else by code that copies attributes into an object. */
const misleading: ReadonlySet<string> = new Set(["constructor", "prototype", "data"]);

/** Whether an attribute can have this name: 1 to 20 of a-z and 0-9 (CloudEvents 1.0, "Naming conventions"). */
export function isAttributeName(name: string): boolean {
  return attributeTypes.has(name) || (NAME.test(name) && !misleading.has(name));
}

const SENT = /^[!#$&-[\]-~]+$/;
const VISIBLE_ASCII = /^[!-~]+$/;
/** What a CloudEvents String must not hold: control characters, unpaired surrogates, noncharacters. */
const UNFIT = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
/** RFC 3339, 5.6. */
const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

const ID_RULE = `must have at most ${MAX_ID_CHARS} characters`;

/** What is wrong with the length of an id, as the end of a sentence; only what follows an opener may have a longer one. */
export function idProblem(id: unknown, kind: unknown): string | undefined {
  return typeof id !== "string" || id.length <= MAX_ID_CHARS || followers.has(kind) ? undefined : ID_RULE;
}

/**
 * What is wrong with an attribute that this side is about to send, as the end of a sentence ("must be …"); undefined if nothing.
 * Text is U+0021 to U+007E without `"`, `\` and `%`, so that no wire has to escape what another gets wrong.
 */
export function attributeProblem(name: string, value: unknown): string | undefined {
  if (!isAttributeName(name)) return NAME_RULE;
  if (typeof value === "string" && !SENT.test(value)) {
    return "must be visible ASCII without space, quotation mark, backslash and percent sign, and not empty; other text belongs into data";
  }
  return receivedProblem(name, value);
}

/**
 * What is wrong with the value of an attribute that has arrived, as the end of a sentence; undefined if nothing. Foreign senders may use
 * all that CloudEvents allows, except that identities are visible ASCII.
 */
export function receivedProblem(name: string, value: unknown): string | undefined {
  const type = attributeTypes.get(name);
  if (type === undefined) return valueProblem(value);
  if (type === "integer") return integerProblem(name, value);
  if (typeof value !== "string") return "must be text";
  switch (type) {
    case "identity":
      return identityProblem(name, value);
    case "kind":
      return kinds.has(value) ? undefined : `must be one of ${[...kinds].join(", ")}`;
    case "timestamp":
      return TIMESTAMP.test(value)
        ? undefined
        : "must be a time as RFC 3339 writes it, such as 2026-01-31T12:00:00.000Z";
    default:
      return textProblem(value);
  }
}

function textProblem(value: string): string | undefined {
  return VISIBLE_ASCII.test(value) || !UNFIT.test(value)
    ? undefined
    : "must be text without control characters, unpaired surrogates and noncharacters";
}

function valueProblem(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return textProblem(value);
    case "number":
      return (value | 0) === value && !Object.is(value, -0) ? undefined : "must be a whole number of 32 bits";
    case "boolean":
      return undefined;
    default:
      return "must be text, a whole number of 32 bits, true or false";
  }
}

function integerProblem(name: string, value: unknown): string | undefined {
  const least = name === "count" ? 1 : 0;
  return typeof value === "number" && (value | 0) === value && value >= least && !Object.is(value, -0)
    ? undefined
    : `must be a whole number from ${least} to ${MAX_INTEGER}`;
}

function identityProblem(name: string, value: string): string | undefined {
  if (name === "id" && value.length > MAX_ID_CHARS + MAX_SUFFIX_CHARS) return ID_RULE;
  return VISIBLE_ASCII.test(value) ? undefined : "must be visible ASCII, and not empty";
}

/** Whether it is a kind of the profile. */
export function isKind(value: unknown): value is Kind {
  return kinds.has(value);
}
