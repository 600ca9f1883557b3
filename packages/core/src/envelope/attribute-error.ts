import { type Outcome, ValidationError } from "../call/error.ts";

/**
 * The error for an attribute that cannot be sent (`not-sent`) or taken (`rejected`). `problem` is the end of a sentence about the
 * attribute, "must be …". At most 64 characters of the value are shown.
 */
export function attributeError(name: string, value: unknown, problem: string, outcome: Outcome): ValidationError {
  const label = name.length > 32 ? `${name.slice(0, 32)}…` : name;
  const message = `the attribute ${JSON.stringify(label)} ${problem}, and is ${show(value)}`;
  return new ValidationError(message, [{ message: problem, path: [label] }], { outcome });
}

function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > 64
        ? `${JSON.stringify(value.slice(0, 64))}… (${value.length} characters)`
        : JSON.stringify(value);
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "an array" : "an object";
    case "function":
    case "symbol":
      return `a ${typeof value}`;
    default:
      return String(value);
  }
}
