import { tlsError } from "../../node/tls-error.ts";
import { errorFor, type Outcome, ParleyError } from "../../transport/index.ts";

/** What a failed request came to, in the words of the protocol's library, of TLS and of the system. */
interface Failure extends Error {
  readonly code?: string;
}

/** Headers and methods that the library does not write, and bodies of another length than was said. */
const UNWRITABLE = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED", "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"]);

/**
 * Why a request got no whole answer.
 * @param started whether any of it can have been sent: a connection that was never made certainly carried nothing.
 */
export function dispatchError(failure: Failure, started: boolean, address: string): ParleyError {
  // There was nothing to show who calls, so there was no request.
  if (failure instanceof ParleyError) return failure;
  const outcome: Outcome = started ? "unknown" : "not-sent";
  const options = { outcome, cause: failure };
  const code = failure.code ?? "";
  if (UNWRITABLE.has(code))
    return errorFor("invalid_argument", `the request cannot be written: ${failure.message}`, options);
  const tls = tlsError(address, failure, outcome);
  if (tls) return tls;
  return errorFor("unavailable", describe(code, failure, started, address), options);
}

function describe(code: string, failure: Failure, started: boolean, address: string): string {
  const { message } = failure;
  // Its code is the parser's own for each fault.
  if (failure.name === "HTTPParserError")
    return `${address} answered something that is not HTTP; is this the right port, and the right scheme?`;
  switch (code) {
    case "ECONNREFUSED":
      return `nothing listens at ${address} (connection refused)`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the host name of ${address} is not known`;
    case "UND_ERR_CONNECT_TIMEOUT":
    case "ETIMEDOUT":
      return `${address} did not take a connection in time`;
    case "UND_ERR_HEADERS_OVERFLOW":
      return `${address} answered with more headers than are read`;
    default:
      return started
        ? `the connection to ${address} was cut before the answer was complete: ${message}`
        : `no connection to ${address}: ${message}`;
  }
}
