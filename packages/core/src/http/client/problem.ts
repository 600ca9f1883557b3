import { isCode, type ParleyError, readError } from "../../transport/index.ts";

/** The error in the body of problem details (RFC 9457), if a Parley wrote it; undefined otherwise. */
export function readProblem(body: unknown): ParleyError | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { detail, code, outcome, details, retryAfterMs } = body as Readonly<Record<string, unknown>>;
  return isCode(code) ? readError({ code, message: detail, outcome, details, retryAfterMs }) : undefined;
}
