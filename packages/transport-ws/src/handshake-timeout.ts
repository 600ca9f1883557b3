import { type ParleyError, TransportError } from "@parley/core/transport";

/** The handshake took too long. */
export function timedOut({ host }: URL, timeoutMs: number): ParleyError {
  const message = `${host} did not complete the WebSocket handshake within ${Math.round(timeoutMs)} ms`;
  return new TransportError("deadline_exceeded", message, { outcome: "not-sent" });
}
