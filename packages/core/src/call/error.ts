import type { Code } from "./code.ts";

/**
 * What is known about the effect of a call that failed.
 * - `not-sent`: the peer cannot have seen it; sending again is safe.
 * - `unknown`: the peer may have acted.
 * - `rejected`: the peer answered, with this error.
 */
export type Outcome = "not-sent" | "unknown" | "rejected";

/** Everything but code and message of a {@link ParleyError}. */
export interface ErrorOptions {
  /** @default "rejected" */
  readonly outcome?: Outcome | undefined;
  /** The peer asks not to be called again for so long. */
  readonly retryAfterMs?: number | undefined;
  /** Any JSON value. Crosses the wire: nothing secret. */
  readonly details?: unknown;
  /** What led to this; stays in this process. */
  readonly cause?: unknown;
}

const brand = Symbol.for("parley.error");

function isBranded(value: unknown): value is { readonly name?: unknown } {
  try {
    return typeof value === "object" && value !== null && brand in value;
  } catch {
    // A proxy that does not answer.
    return false;
  }
}

/**
 * The one error of Parley. Recognised by a brand, so that two copies of core in one process agree; `instanceof` works across them.
 * Message, code, outcome, `retryAfterMs` and `details` cross the wire; stack and cause never do.
 */
export class ParleyError extends Error {
  override readonly name: string = "ParleyError";
  readonly code: Code;
  readonly outcome: Outcome;
  readonly retryAfterMs: number | undefined;
  readonly details: unknown;

  constructor(code: Code, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.outcome = options.outcome ?? "rejected";
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
    Object.defineProperty(this, brand, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (!isBranded(value)) return false;
    if (this === ParleyError || Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    return (value as { name?: unknown }).name === this.prototype.constructor.name;
  }
}

/** One thing that is wrong with a value, and where (the path of keys and indexes from its root). */
export interface Issue {
  readonly message: string;
  readonly path: readonly (string | number)[];
}

/** Input, output or an envelope does not have the shape it must have; code `invalid_argument`. */
export class ValidationError extends ParleyError {
  override readonly name: string = "ValidationError";
  readonly issues: readonly Issue[];

  /** `details` has the issues, beside what the options put there. */
  constructor(message: string, issues: readonly Issue[], options: ErrorOptions = {}) {
    super("invalid_argument", message, { ...options, details: { ...(options.details as object | undefined), issues } });
    this.issues = issues;
  }
}

/** The peer does not know who is calling (`unauthenticated`), or does not let them (`permission_denied`). */
export class AuthenticationError extends ParleyError {
  override readonly name: string = "AuthenticationError";
  declare readonly code: "unauthenticated" | "permission_denied";

  constructor(code: "unauthenticated" | "permission_denied", message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** The way to the peer, time or room gave out. */
export class TransportError extends ParleyError {
  override readonly name: string = "TransportError";
  declare readonly code: "unavailable" | "deadline_exceeded" | "resource_exhausted";

  constructor(
    code: "unavailable" | "deadline_exceeded" | "resource_exhausted",
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** Makes the error of the class that belongs to the code. */
export function errorFor(code: Code, message: string, options: ErrorOptions = {}): ParleyError {
  switch (code) {
    case "unavailable":
    case "deadline_exceeded":
    case "resource_exhausted":
      return new TransportError(code, message, options);
    case "unauthenticated":
    case "permission_denied":
      return new AuthenticationError(code, message, options);
    case "invalid_argument": {
      const issues = (options.details as { issues?: unknown } | null | undefined)?.issues;
      return Array.isArray(issues) && issues.every(isIssue)
        ? new ValidationError(message, issues, options)
        : new ParleyError(code, message, options);
    }
    default:
      return new ParleyError(code, message, options);
  }
}

function isIssue(value: unknown): value is Issue {
  const issue = value as Partial<Issue> | null;
  return typeof issue?.message === "string" && Array.isArray(issue.path);
}

/** The error of a call that its caller gave up; the reason of the caller's signal is its cause. */
export function cancelled(reason: unknown, outcome: Outcome): ParleyError {
  return reason instanceof ParleyError
    ? reason
    : new ParleyError("cancelled", "the caller gave up", { outcome, cause: reason });
}

/**
 * Any thrown value as a ParleyError: one stays what it is, anything else becomes `internal` without its text (which may hold
 * paths or secrets), the thrown value being the cause.
 */
export function toParleyError(thrown: unknown): ParleyError {
  if (thrown instanceof ParleyError) return thrown;
  return new ParleyError("internal", "the handler failed; the option log of its agent tells why", { cause: thrown });
}
