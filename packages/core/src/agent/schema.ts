import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Issue, type Outcome, ParleyError, ValidationError } from "../call/error.ts";
import { isPromise, type Maybe } from "./maybe.ts";

/** A validator of any library that implements Standard Schema (zod, valibot, arktype, and others). https://standardschema.dev */
export type Schema = StandardSchemaV1<unknown, unknown>;

/** What is written by whoever sends data of this schema. Without a schema there is no data. */
export type Sent<S> = S extends Schema ? StandardSchemaV1.InferInput<S> : undefined;

/** What is read by whoever receives data of this schema: defaults filled in, transformations done. */
export type Received<S> = S extends Schema ? StandardSchemaV1.InferOutput<S> : undefined;

/** Bounds of what a ValidationError tells, so that a hostile value makes no huge error. */
const MAX_ISSUES = 32;
const MAX_TOLD = 3;
const MAX_ISSUE_CHARS = 256;
const MAX_PATH = 64;

/** Where a value is checked. */
export interface Place {
  /** Names the value in errors, `"the input of text.summarize.v1"`. */
  readonly what: string;
  /** What an error here says of the effect of the call. */
  readonly outcome: Outcome;
}

/**
 * Validates a value. A schema that answers at once costs no promise.
 * @param position of an item in its stream, from 1; for errors.
 * @throws ValidationError with the issues and their paths; ParleyError `internal` when the schema itself throws.
 */
export function validate(schema: Schema, value: unknown, place: Place, position?: number): Maybe<unknown> {
  let result: Maybe<StandardSchemaV1.Result<unknown>>;
  try {
    result = schema["~standard"].validate(value);
  } catch (cause) {
    throw broken("schema", place, cause);
  }
  if (!isPromise(result)) return accepted(result, place, position);
  return result.then(
    (late) => accepted(late, place, position),
    (cause: unknown) => {
      throw broken("schema", place, cause);
    },
  );
}

/** A schema or cast threw instead of answering. */
export function broken(part: string, { what, outcome }: Place, cause: unknown): ParleyError {
  return new ParleyError("internal", `the ${part} for ${what} failed`, { outcome, cause });
}

/** Whether the value is a Standard Schema. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return typeof (value as Partial<Schema>)["~standard"]?.validate === "function";
}

function accepted(
  result: StandardSchemaV1.Result<unknown>,
  { what, outcome }: Place,
  position: number | undefined,
): unknown {
  if (!result.issues) return result.value;
  const issues = result.issues.slice(0, MAX_ISSUES).map(readIssue);
  const told = issues.slice(0, MAX_TOLD).map(tell).join("; ");
  const more = result.issues.length > MAX_TOLD ? `; and ${result.issues.length - MAX_TOLD} more` : "";
  const item = position === undefined ? "" : `item ${position} of `;
  throw new ValidationError(`${item}${what} is invalid: ${told}${more}`, issues, { outcome });
}

function readIssue({ message, path = [] }: StandardSchemaV1.Issue): Issue {
  return { message: message.slice(0, MAX_ISSUE_CHARS), path: path.slice(0, MAX_PATH).map(readKey) };
}

function readKey(segment: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof segment === "object" ? segment.key : segment;
  return typeof key === "number" ? key : String(key).slice(0, MAX_ISSUE_CHARS);
}

function tell({ message, path }: Issue): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}
