import { ParleyError, parseType } from "@parley/core";

/**
 * Compiles a pattern for operations: `text.summarize` is that operation in all its versions, `text.summarize.v1` one of them, `text.*` all that
 * begin with `text.`, `*` every one.
 * @throws ParleyError `invalid_argument` for a star elsewhere
 */
export function operationPattern(pattern: string): (type: string) => boolean {
  if (pattern === "*") return () => true;
  const prefix = pattern.endsWith(".*") ? pattern.slice(0, -1) : undefined;
  if ((prefix ?? pattern).includes("*") || pattern === "" || prefix === ".") {
    const message = `the pattern ${JSON.stringify(pattern)} is none for operations: "text.summarize", "text.*" and "*" are`;
    throw new ParleyError("invalid_argument", message, { outcome: "not-sent" });
  }
  if (prefix !== undefined) return (type) => type.startsWith(prefix);
  return (type) => type === pattern || parseType(type)?.name === pattern;
}
