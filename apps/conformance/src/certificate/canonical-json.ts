/**
 * JSON in its canonical form (RFC 8785): keys sorted by UTF-16 code units, no space, numbers and strings as ECMAScript writes them. Equal values
 * have equal texts.
 * @throws TypeError for what JSON does not hold
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${entries.map(([key, own]) => `${JSON.stringify(key)}:${canonicalJson(own)}`).join()}}`;
  }
  if (typeof value === "string" && !value.isWellFormed()) throw new TypeError("a lone surrogate has no form in JSON");
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} has no form in JSON`);
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`${typeof value} has no form in JSON`);
  return text;
}
