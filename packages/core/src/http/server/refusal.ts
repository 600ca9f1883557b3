import { AuthenticationError, ParleyError, TransportError } from "../../transport/index.ts";
import { mediaTypes } from "../wire/media-type.ts";
import { statusOf } from "../wire/status.ts";
import { problemOf } from "./problem.ts";
import type { Answer } from "./response.ts";

/** A request that is turned away before it became a call. */
export interface Refusal {
  readonly status: number;
  readonly error: ParleyError;
  /** Headers that belong to the status, flat. */
  readonly headers?: readonly string[];
}

/** A refusal by its own error, with the status of the code. */
export function refusalOf(error: ParleyError): Refusal {
  return { status: statusOf(error.code), error };
}

/** The caller may not. */
export function forbidden(message: string): Refusal {
  return { status: 403, error: new AuthenticationError("permission_denied", message, { outcome: "not-sent" }) };
}

/** Nothing is served at this path. */
export function notFound(message: string): Refusal {
  return { status: 404, error: new ParleyError("not_found", message, { outcome: "not-sent" }) };
}

/** The path does not take this method. */
export function wrongMethod(method: string | undefined, allowed: string): Refusal {
  return {
    status: 405,
    error: new ParleyError("unimplemented", `this path takes ${allowed}, not ${method}`, { outcome: "not-sent" }),
    headers: ["Allow", allowed],
  };
}

/** The body is of a kind that is not read here. */
export function unsupportedType(message: string): Refusal {
  return { status: 415, error: new ParleyError("invalid_argument", message, { outcome: "not-sent" }) };
}

/** It does not belong here. */
export function misplaced(message: string): Refusal {
  return { status: 400, error: new ParleyError("invalid_argument", message, { outcome: "not-sent" }) };
}

/** The message is over the limit. */
export function tooLarge(bytes: number | string, limit: number): Refusal {
  return {
    status: 413,
    error: new TransportError(
      "resource_exhausted",
      `a body of ${bytes} bytes is over the limit of ${limit} bytes a message`,
      {
        outcome: "not-sent",
      },
    ),
  };
}

/** Headers that an error brings along: when to come again (RFC 9110, 10.2.3), how to authenticate (11.6.1). */
export function errorHeaders({ code, retryAfterMs }: ParleyError): readonly string[] {
  const retry = retryAfterMs === undefined ? [] : ["Retry-After", String(Math.ceil(retryAfterMs / 1_000))];
  return code === "unauthenticated" ? [...retry, "WWW-Authenticate", "Bearer"] : retry;
}

/** A refusal as a problem. */
export function answerOf({ status, error, headers = [] }: Refusal): Answer {
  return {
    status,
    headers: ["Content-Type", mediaTypes.problem, ...errorHeaders(error), ...headers],
    body: problemOf(error, status),
  };
}
