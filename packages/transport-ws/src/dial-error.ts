import { tlsError } from "@parley/core/node";
import { AuthenticationError, errorFor, ParleyError, TransportError } from "@parley/core/transport";

/** What a failed handshake says in the `details` of its error, when an HTTP answer came instead of the WebSocket. */
export interface HandshakeDetails {
  /** HTTP status of the answer. */
  readonly status: number;
}

/** The address as it stands in errors and logs: without user, password and query, which may hold secrets. */
export function addressOf({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}

/** The handshake was answered by HTTP, not by a WebSocket. Nothing of what was to be sent has left. */
export function refusal(url: URL, status: number, retryAfter: string | undefined): ParleyError {
  const details: HandshakeDetails = { status };
  const answered = `${addressOf(url)} answered the WebSocket handshake with HTTP status ${status}`;
  switch (status) {
    case 401:
      return new AuthenticationError("unauthenticated", `${answered}: check the option credentials`, { details });
    case 403:
      return new AuthenticationError("permission_denied", answered, { details });
    case 429:
    case 502:
    case 503:
    case 504:
      return errorFor(status === 429 ? "resource_exhausted" : "unavailable", answered, {
        outcome: "not-sent",
        details,
        retryAfterMs: retryAfterMs(retryAfter),
      });
    default:
      return new TransportError("unavailable", `${answered}; is a WebSocket served at this address and path?`, {
        outcome: "not-sent",
        details,
      });
  }
}

/** The handshake came to nothing: what the system, TLS or the protocol's library says of it. */
export function dialError(
  url: URL,
  protocols: readonly string[],
  error: Error & { readonly code?: string },
): ParleyError {
  const { message, code = "" } = error;
  const options = { outcome: "not-sent", cause: error } as const;
  const unavailable = (text: string): ParleyError => new TransportError("unavailable", text, options);
  const tls = tlsError(url.host, error);
  if (tls) return tls;
  switch (code) {
    case "ECONNREFUSED":
      return unavailable(`nothing listens at ${url.host} (connection refused)`);
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return unavailable(`the host name ${url.hostname} is not known`);
    default: {
      const speaking = protocols.length > 0 ? ` that speaks ${protocols.join(" or ")}` : "";
      return unavailable(`${addressOf(url)} is no WebSocket listener${speaking}: ${message}`);
    }
  }
}

/** What cannot be dialled at all, such as a header that HTTP does not know. */
export function undiallable({ host }: URL, cause: unknown): ParleyError {
  if (cause instanceof ParleyError) return cause;
  const tls = cause instanceof Error ? tlsError(host, cause) : undefined;
  if (tls) return tls;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ParleyError("invalid_argument", `${host} cannot be dialled so: ${why}`, { outcome: "not-sent", cause });
}

/** `Retry-After` in seconds; a date is not worth the difference between two clocks. */
function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : undefined;
}
