import { ValidationError } from "../call/error.ts";

/** Longest topic or filter, characters. */
export const MAX_TOPIC_CHARS = 1024;

/** Most segments of a topic or filter: each costs its subscription memory. */
const MAX_SEGMENTS = 64;

/** What an envelope's attribute can hold: visible ASCII without `"`, `%` and `\`. */
const FORBIDDEN = /[^!#$&-[\]-~]/u;

/**
 * Checks a topic: 1 to 1024 characters of visible ASCII but `"`, `%` and `\`, segments by `/`, no `+` and `#`.
 * @throws ValidationError outcome `not-sent`
 */
export function checkTopic(topic: unknown): string {
  const text = checkText(topic, "topic");
  if (/[+#]/.test(text)) throw refused("topic", text, "holds + or #, which are for filters");
  return text;
}

/**
 * Checks a filter by MQTT's rules (MQTT 5, 4.7.1): like a topic, and `+` stands for a whole segment, `#` for all that follow.
 * @throws ValidationError outcome `not-sent`
 */
export function checkFilter(filter: unknown): string {
  const text = checkText(filter, "filter");
  const segments = text.split("/");
  for (const [index, segment] of segments.entries()) {
    if (segment.length > 1 && /[+#]/.test(segment))
      throw refused("filter", text, "has + or # beside other characters in a segment");
    if (segment === "#" && index !== segments.length - 1)
      throw refused("filter", text, "has # before its last segment");
  }
  return text;
}

function checkText(text: unknown, what: string): string {
  if (typeof text !== "string" || text === "") throw refused(what, text, "is no text, or empty");
  if (text.length > MAX_TOPIC_CHARS)
    throw refused(what, `${text.slice(0, 64)}…`, `has more than ${MAX_TOPIC_CHARS} characters`);
  if (text.split("/", MAX_SEGMENTS + 1).length > MAX_SEGMENTS)
    throw refused(what, text, `has more than ${MAX_SEGMENTS} segments`);
  if (FORBIDDEN.test(text)) throw refused(what, text, 'holds characters other than visible ASCII, or one of " % \\');
  return text;
}

function refused(what: string, text: unknown, why: string): ValidationError {
  const message = `the ${what} ${JSON.stringify(text) ?? "(absent)"} ${why}`;
  return new ValidationError(message, [{ message: why, path: ["subject"] }], { outcome: "not-sent" });
}
