import { type Code, codes, type Outcome } from "../../transport/index.ts";

/** HTTP status of an error; the code in the body says more. */
export function statusOf(code: Code): number {
  return codes[code].http;
}

/** What an answer that is not from a Parley means by its status. */
export function codeOfStatus(status: number): Code {
  switch (status) {
    case 400:
    case 415:
    case 422:
      return "invalid_argument";
    case 401:
      return "unauthenticated";
    case 403:
      return "permission_denied";
    case 404:
    case 410:
      return "not_found";
    case 405:
    case 501:
      return "unimplemented";
    case 409:
      return "aborted";
    case 412:
      return "failed_precondition";
    case 413:
    case 429:
    case 431:
      return "resource_exhausted";
    case 499:
      return "cancelled";
    case 502:
    case 503:
      return "unavailable";
    case 504:
      return "deadline_exceeded";
    default:
      return "unknown";
  }
}

/** What such a status says of the effect: a gateway that answers 5xx may have passed the message on. */
export function outcomeOfStatus(status: number): Outcome {
  return status >= 500 ? "unknown" : "rejected";
}

/** Whether the status asks to make the request elsewhere (RFC 9110, 15.4). */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}
