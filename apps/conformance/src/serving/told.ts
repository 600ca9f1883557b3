import { type Code, errorFor } from "@parley/core";

/** An error that a scenario asks for. */
export interface Told {
  readonly code: Code;
  readonly message: string;
  readonly details?: unknown;
  readonly retryAfterMs?: number;
}

/** The error that was asked for. */
export function toldError({ code, message, details, retryAfterMs }: Told): Error {
  return errorFor(code, message, { details, retryAfterMs });
}

/** Code of what was thrown, `internal` if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "internal";
}
