import { errorFor, isCode, type ParleyError, TransportError } from "@parley/core/transport";

/** What an ended WebSocket says in the `details` of its error. */
export interface CloseDetails {
  /** Close code (RFC 6455, 7.4). */
  readonly closeCode: number;
  readonly closeReason: string;
}

/** RFC 6455, 5.5: a control frame carries at most 125 bytes, two of them the close code. */
const MAX_REASON_CHARS = 120;

/** `<code>: <message>`, cut to what a close frame takes, in characters that take one byte each. */
export function closeReason({ code, message }: ParleyError): string {
  return `${code}: ${message.replace(/[^\x20-\x7e]/g, "?")}`.slice(0, MAX_REASON_CHARS);
}

/** What a close code says; nothing for an orderly close. Codes of RFC 6455, 7.4.1. */
export function closeCause(closeCode: number, closeReason: string): ParleyError | undefined {
  if (closeCode === 1000 || closeCode === 1005) return undefined;
  const details: CloseDetails = { closeCode, closeReason };
  const options = { outcome: "unknown", details } as const;
  if (closeCode === 1006)
    return new TransportError("unavailable", "the connection was cut without a closing handshake", options);
  const [name = ""] = closeReason.split(":", 1);
  const message = `the peer closed the WebSocket with ${closeCode}${closeReason && `, ${closeReason}`}`;
  return errorFor(isCode(name) ? name : codeOf(closeCode), message, options);
}

function codeOf(closeCode: number): ParleyError["code"] {
  switch (closeCode) {
    case 1002:
    case 1007:
      return "invalid_argument";
    case 1003:
      return "unimplemented";
    case 1008:
      return "permission_denied";
    case 1009:
      return "resource_exhausted";
    case 1011:
      return "internal";
    // 4000 and an HTTP status, as many services have it.
    case 4401:
      return "unauthenticated";
    case 4403:
      return "permission_denied";
    default:
      return "unavailable";
  }
}
