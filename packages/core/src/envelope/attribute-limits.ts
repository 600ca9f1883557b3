import { type Outcome, ValidationError } from "../call/error.ts";
import { hopAttributes } from "./envelope.ts";

/** Most attributes of one message, not counting those that the connection writes. */
export const MAX_ATTRIBUTES: number = 64;

/** Most text in these attributes: the characters of their names and values together. */
export const MAX_ATTRIBUTE_CHARS: number = 8 * 1024;

/** What a connection may write into a message that has all the attributes it can have. */
const written: ReadonlySet<string> = new Set([...hopAttributes, "seq", "count", "inreplyto"]);

/** Most members of an event in JSON: all attributes, and the data. */
export const MAX_MEMBERS: number = MAX_ATTRIBUTES + written.size + 1;

/** @throws ValidationError for attributes that are too many or too large; `data` and what is absent or null does not count. */
export function checkLimits(attributes: Readonly<Record<string, unknown>>, outcome: Outcome): void {
  let count = 0;
  let chars = 0;
  for (const name in attributes) {
    const value = attributes[name];
    if (value === undefined || value === null || isData(name) || written.has(name)) continue;
    count++;
    chars += name.length + (typeof value === "string" ? value.length : 0);
  }
  if (count > MAX_ATTRIBUTES) throw tooMany(outcome);
  if (chars > MAX_ATTRIBUTE_CHARS) {
    throw refusal(
      `the names and values of the attributes of a message have at most ${MAX_ATTRIBUTE_CHARS} characters together, and here ${chars}`,
      outcome,
    );
  }
}

/** The error for more than {@link MAX_ATTRIBUTES}. */
export function tooMany(outcome: Outcome): ValidationError {
  return refusal(`a message has at most ${MAX_ATTRIBUTES} attributes`, outcome);
}

function isData(name: string): boolean {
  return name === "data" || name === "data_base64";
}

function refusal(problem: string, outcome: Outcome): ValidationError {
  return new ValidationError(problem, [{ message: problem, path: [] }], { outcome });
}
