import { fromBase64, toBase64 } from "../envelope/base64.ts";
import { MAX_DEPTH } from "../envelope/data.ts";

const BYTES = "$bytes";

/**
 * Details with bytes anywhere in them as JSON: a `Uint8Array` becomes `{"$bytes": "<base64>"}`. A property of that name gets one more `$`, so
 * that it comes back as what it was.
 * @throws RangeError beyond 64 levels, as where a value contains itself.
 */
export function writeDetails(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { [BYTES]: toBase64(value) };
  if (depth >= MAX_DEPTH) throw new RangeError(`nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return value.map((item) => writeDetails(item, depth + 1));
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      /^\$+bytes$/.test(key) ? `$${key}` : key,
      writeDetails(item, depth + 1),
    ]),
  );
}

/** Undoes {@link writeDetails} on a value from JSON. */
export function readDetails(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(readDetails);
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === BYTES && typeof first[1] === "string")
    return fromBase64(first[1]) ?? value;
  return Object.fromEntries(
    entries.map(([key, item]) => [/^\$\$+bytes$/.test(key) ? key.slice(1) : key, readDetails(item)]),
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) && !("toJSON" in value && typeof value.toJSON === "function")
  );
}
