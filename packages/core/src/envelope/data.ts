import { type Outcome, ValidationError } from "../call/error.ts";
import { isDeeper } from "./scan.ts";

/** Deepest nesting of arrays and objects in `data`. */
export const MAX_DEPTH: number = 64;

interface Walk {
  readonly maxDepth: number;
  /** Whether strings and keys are looked at, which is seldom needed. */
  readonly texts: boolean;
  minusZero: boolean;
  /** From the innermost outwards, once there is a problem. */
  readonly path: (string | number)[];
}

/** Newer than the library of types in use: ECMAScript 2026. */
const { rawJSON } = JSON as { readonly rawJSON?: (text: string) => unknown };

/**
 * The JSON text of a value, exactly: what JSON would drop, change or refuse (NaN, bigint, functions, `undefined` in arrays, Map, bytes
 * inside, cycles, unpaired surrogates, more than 64 levels) is an error. Properties that are `undefined` are left out and `toJSON` is
 * heeded, as JSON does. Negative zero stays negative.
 * @throws ValidationError with the path from `data`; outcome `not-sent`.
 */
export function encodeData(data: unknown): string {
  try {
    const minusZero = check(data, false, "not-sent");
    const text: string | undefined = minusZero ? JSON.stringify(data, keepMinusZero) : JSON.stringify(data);
    if (text === undefined) throw dataError("is undefined, which is no JSON value", [], "not-sent");
    // JSON writes an unpaired surrogate as an escape; what only looks like one costs a second walk.
    if (text.includes("\\ud")) check(data, true, "not-sent");
    return text;
  } catch (thrown) {
    if (thrown instanceof ValidationError) throw thrown;
    const message = "data cannot be read: a getter, a proxy or toJSON threw";
    throw new ValidationError(message, [{ message, path: ["data"] }], { outcome: "not-sent", cause: thrown });
  }
}

/**
 * Reads JSON text from a peer, such as a body that is no CloudEvent. `__proto__` becomes an ordinary own property.
 * @throws ValidationError when it is not JSON, nested deeper than `maxDepth` (noticed before anything is built), or holds unpaired surrogates.
 */
export function decodeData(
  text: string,
  { maxDepth = MAX_DEPTH }: { readonly maxDepth?: number | undefined } = {},
): unknown {
  if (isDeeper(text, maxDepth)) throw dataError(`is nested deeper than ${maxDepth} levels`, [], "rejected");
  const data = parseJson(text);
  checkReceivedTexts(text, data);
  return data;
}

/** @throws ValidationError that says where the text stops being JSON, without repeating the text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = text.startsWith("\uFEFF")
      ? "the text begins with a byte order mark, which JSON does not have"
      : text === ""
        ? "the text is empty, and should be JSON"
        : `the text (${text.length} characters) is not JSON`;
    throw new ValidationError(message, [{ message, path: [] }], { cause });
  }
}

/** @throws ValidationError when the value parsed from the text holds unpaired surrogates. */
export function checkReceivedTexts(text: string, data: unknown): void {
  // A surrogate is in the text itself or written as an escape.
  if (!text.isWellFormed() || (text.includes("\\u") && /\\u[dD][89a-fA-F]/.test(text))) check(data, true, "rejected");
}

/** Whether there is a negative zero in it. @throws ValidationError when JSON cannot carry the value */
function check(data: unknown, texts: boolean, outcome: Outcome): boolean {
  // Texts are looked at second, when the depth is known to be fine.
  const walk: Walk = { maxDepth: texts ? Number.POSITIVE_INFINITY : MAX_DEPTH, texts, minusZero: false, path: [] };
  const problem = walkValue(data, 0, walk);
  if (problem !== undefined) throw dataError(problem, walk.path.reverse(), outcome);
  return walk.minusZero;
}

function dataError(problem: string, path: readonly (string | number)[], outcome: Outcome): ValidationError {
  const shown = path.length > 16 ? [...path.slice(0, 16), "…"] : path;
  const place = shown.map((key) => (typeof key === "number" ? `[${key}]` : `.${key.slice(0, 64)}`)).join("");
  return new ValidationError(`data${place} ${problem}`, [{ message: problem, path: ["data", ...shown] }], { outcome });
}

function keepMinusZero(_key: string, value: unknown): unknown {
  return Object.is(value, -0) && rawJSON ? rawJSON("-0") : value;
}

/** What is wrong with a value; then `walk.path` says where. */
function walkValue(value: unknown, depth: number, walk: Walk): string | undefined {
  switch (typeof value) {
    case "string":
      return walk.texts && !value.isWellFormed() ? "holds an unpaired surrogate, which UTF-8 cannot carry" : undefined;
    case "number":
      if (value === 0) walk.minusZero ||= Object.is(value, -0);
      else if (!Number.isFinite(value)) return `is ${value}, which JSON does not have`;
      return undefined;
    case "boolean":
    case "undefined":
      return undefined;
    case "object":
      if (value === null) return undefined;
      if (depth === walk.maxDepth) return `is nested deeper than ${MAX_DEPTH} levels, or contains itself`;
      return Array.isArray(value) ? walkArray(value, depth, walk) : walkObject(value, depth, walk);
    default:
      return `is a ${typeof value}, which JSON does not have`;
  }
}

function walkArray(array: readonly unknown[], depth: number, walk: Walk): string | undefined {
  for (let index = 0; index < array.length; index++) {
    const item = array[index];
    const problem =
      item === undefined ? "is undefined, which JSON would turn into null" : walkValue(item, depth + 1, walk);
    if (problem !== undefined) {
      walk.path.push(index);
      return problem;
    }
  }
  return undefined;
}

function walkObject(value: object, depth: number, walk: Walk): string | undefined {
  const record = value as Readonly<Record<string, unknown>>;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return walkInstance(record, depth, walk);
  if (typeof record["toJSON"] === "function") return walkConverted(record, depth, walk);
  for (const key in record) {
    const problem = walkProperty(key, record[key], depth, walk);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function walkProperty(key: string, value: unknown, depth: number, walk: Walk): string | undefined {
  if (!walk.texts && typeof value === "string") return undefined;
  const problem =
    walk.texts && !key.isWellFormed() ? "has a name with an unpaired surrogate" : walkValue(value, depth + 1, walk);
  if (problem !== undefined) walk.path.push(key);
  return problem;
}

/** What is neither array nor plain object: of a user's class, or built in. */
function walkInstance(record: Readonly<Record<string, unknown>>, depth: number, walk: Walk): string | undefined {
  if (ArrayBuffer.isView(record)) return "is bytes; send bytes as all of data, in a Uint8Array, or as text";
  if (typeof record["toJSON"] === "function") return walkConverted(record, depth, walk);
  if (record instanceof Number) return walkValue(record.valueOf(), depth, walk);
  if (record instanceof String || record instanceof Boolean) return undefined;
  const tag = Object.prototype.toString.call(record).slice(8, -1);
  if (tag !== "Object") return `is an instance of ${tag}, which JSON would empty`;
  return walkOwn(record, depth, walk);
}

function walkConverted(record: Readonly<Record<string, unknown>>, depth: number, walk: Walk): string | undefined {
  const converted: unknown = (record["toJSON"] as (key: string) => unknown).call(record, "");
  if (typeof converted !== "object" || converted === null || Array.isArray(converted))
    return walkValue(converted, depth, walk);
  // JSON asks only once: its answer's own toJSON is not heeded.
  return walkOwn(converted as Readonly<Record<string, unknown>>, depth, walk);
}

function walkOwn(record: Readonly<Record<string, unknown>>, depth: number, walk: Walk): string | undefined {
  for (const key of Object.keys(record)) {
    const problem = walkProperty(key, record[key], depth, walk);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
