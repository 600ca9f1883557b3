import { invalid } from "./invalid.ts";

/** Longest text in a packet, bytes of UTF-8 (MQTT 5, 1.5.4). */
const MAX_TEXT_BYTES = 65_535;
/** For what brokers hang up (MQTT 5, 1.5.4): they may for control characters, and must for halves of surrogate pairs. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/**
 * Checks what is written into a packet as text. Broken, it would cost the whole link.
 * @throws ParleyError `invalid_argument`, outcome `not-sent`
 */
export function checkText(text: unknown, what: string): string {
  if (typeof text !== "string") throw invalid(`the ${what} is no text, but ${text === null ? "null" : typeof text}`);
  if (FORBIDDEN.test(text))
    throw invalid(`the ${what} ${shown(text)} holds a control character or an unpaired surrogate`);
  if (text.length * 3 > MAX_TEXT_BYTES && Buffer.byteLength(text) > MAX_TEXT_BYTES)
    throw invalid(`the ${what} ${shown(text)} has more than ${MAX_TEXT_BYTES} bytes`);
  return text;
}

/** Checks a topic to publish to (MQTT 5, 4.7). @throws ParleyError `invalid_argument`, outcome `not-sent` */
export function checkTopicName(topic: unknown, what = "topic"): string {
  const text = checkText(topic, what);
  if (text === "") throw invalid(`the ${what} is empty`);
  if (/[+#]/.test(text)) throw invalid(`the ${what} ${shown(text)} holds + or #, which are for filters`);
  return text;
}

/** Checks a filter to subscribe by, shared ones as well (MQTT 5, 4.7.1 and 4.8.2). @throws ParleyError `invalid_argument`, outcome `not-sent` */
export function checkTopicFilter(filter: unknown): string {
  const text = checkText(filter, "filter");
  if (text === "") throw invalid("the filter is empty");
  const pattern = /^\$share(?:\/|$)/.test(text) ? sharedPattern(text) : text;
  const levels = pattern.split("/");
  for (const [index, level] of levels.entries()) {
    if (level.length > 1 && /[+#]/.test(level))
      throw invalid(`the filter ${shown(text)} has + or # beside other characters in a level`);
    if (level === "#" && index !== levels.length - 1)
      throw invalid(`the filter ${shown(text)} has # before its last level`);
  }
  return text;
}

/** The filter without `$share/<group>/`: what topics are matched with. */
export function patternOf(filter: string): string {
  return filter.replace(/^\$share\/[^/]+\//, "");
}

/** Whether a topic matches a filter (MQTT 5, 4.7). */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && !filter.startsWith("$")) return false;
  const wanted = filter.split("/");
  const levels = topic.split("/");
  for (const [index, level] of wanted.entries()) {
    if (level === "#") return true;
    if (index >= levels.length || (level !== "+" && level !== levels[index])) return false;
  }
  return wanted.length === levels.length;
}

function sharedPattern(filter: string): string {
  const pattern = /^\$share\/[^/+#]+\/(.+)$/.exec(filter)?.[1];
  if (pattern === undefined) throw invalid(`the filter ${shown(filter)} is not $share/<group>/<filter>`);
  return pattern;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
