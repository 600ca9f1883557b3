/** What a look over JSON text tells before anything is built from it. */
export interface Scan {
  /** Deepest nesting of arrays and objects; one more than the bound where that was passed and the scan left off. */
  readonly depth: number;
  /** Members of the outermost object, repeated names counted each time; one more than the bound where that was passed. */
  readonly members: number;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** `{` and `[` are the same but for one bit, and so are `}` and `]`. */
const OPEN = 0x7b;
const CLOSE = 0x7d;
const BRACE_BIT = 0x20;

const encoder = new TextEncoder();
/** For the bytes of all but long texts, which are read several times faster than the characters of a string. */
const scratch = new Uint8Array(64 * 1024);

/**
 * Looks over JSON text once, in linear time and without recursion. Of text that is not JSON it tells nothing useful: the parser refuses
 * that.
 */
export function scan(text: string, maxDepth: number, maxMembers: number): Scan {
  const { read, written } = encoder.encodeInto(text, scratch);
  const bytes = read === text.length ? scratch : encoder.encode(text);
  const length = bytes === scratch ? written : bytes.length;
  let depth = 0;
  let deepest = 0;
  let members = 0;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      for (at++; at < length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
    } else if (byte === COLON) {
      if (depth === 1 && ++members > maxMembers) break;
    } else if ((byte | BRACE_BIT) === OPEN) {
      if (++depth > deepest) deepest = depth;
      if (depth > maxDepth) break;
    } else if ((byte | BRACE_BIT) === CLOSE) depth--;
  }
  return { depth: deepest, members };
}

/** Whether JSON text is nested deeper than the bound. */
export function isDeeper(text: string, maxDepth: number): boolean {
  return hasMoreBrackets(text, maxDepth) && scan(text, maxDepth, Number.POSITIVE_INFINITY).depth > maxDepth;
}

/** No deeper than there are opening brackets; those in strings count too, which costs no more than a scan. */
function hasMoreBrackets(text: string, bound: number): boolean {
  let count = 0;
  for (let at = text.indexOf("{"); at !== -1; at = text.indexOf("{", at + 1)) if (++count > bound) return true;
  for (let at = text.indexOf("["); at !== -1; at = text.indexOf("[", at + 1)) if (++count > bound) return true;
  return false;
}

/** Characters for each array or object from which on a text is sparse: what the parser makes of it is then not much larger than itself. */
const SPARSE_CHARS = 16;

/**
 * How a text can be nested, by the number of its opening brackets: not beyond the bound (`flat`); perhaps, but with so much between them that
 * it can be parsed first and looked at after ({@link isNested}), which is several times faster than a scan (`sparse`); or neither (`dense`).
 */
export function nestingOf(text: string, maxDepth: number): "flat" | "sparse" | "dense" {
  const most = Math.max(maxDepth, text.length / SPARSE_CHARS);
  let count = 0;
  for (let at = text.indexOf("{"); at !== -1; at = text.indexOf("{", at + 1)) if (++count > most) return "dense";
  for (let at = text.indexOf("["); at !== -1; at = text.indexOf("[", at + 1)) if (++count > most) return "dense";
  return count > maxDepth ? "sparse" : "flat";
}

/** Whether a parsed value is nested deeper than the bound. */
export function isNested(value: unknown, maxDepth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (maxDepth === 0) return true;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const member: unknown = value[index];
      if (typeof member === "object" && isNested(member, maxDepth - 1)) return true;
    }
    return false;
  }
  for (const name in value) {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof member === "object" && isNested(member, maxDepth - 1)) return true;
  }
  return false;
}
