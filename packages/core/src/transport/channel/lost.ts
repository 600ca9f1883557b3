import { ParleyError, TransportError } from "../../call/error.ts";

/** The error of a channel that has ended: with its cause, or in good order. */
export function lostChannel(cause: unknown): ParleyError {
  if (cause === undefined) return unavailable("the peer closed the connection");
  if (cause instanceof ParleyError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return unavailable(`the connection was lost: ${text}`, cause);
}

/** The error of calls that end with their connection. */
export function lostCall(reason: ParleyError): ParleyError {
  return reason.code === "unavailable" ? reason : unavailable(`the connection ended: ${reason.message}`, reason);
}

/** The error of streams that were to be resumed, and are not: something of them is missing. */
export function lostStream(reason: ParleyError): ParleyError {
  if (reason.code === "data_loss") return reason;
  const message = `the stream was cut, and cannot be resumed: ${reason.message}`;
  return new ParleyError("data_loss", message, { outcome: "unknown", cause: reason });
}

/** `unavailable`, outcome `unknown`. */
export function unavailable(message: string, cause?: unknown): TransportError {
  return new TransportError("unavailable", message, { outcome: "unknown", cause });
}
