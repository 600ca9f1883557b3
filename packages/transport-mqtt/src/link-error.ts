import { type ParleyError, TransportError } from "@parley/core/transport";

/** The error for a broker that took too long. */
export function timedOut({ host }: URL, timeoutMs: number): ParleyError {
  const message = `${host} did not accept the connection within ${timeoutMs} ms; is it an MQTT broker?`;
  return new TransportError("deadline_exceeded", message, { outcome: "not-sent" });
}

/** The error for a broker that accepted the connection, and then not what a process needs: its inbox, and what it is asked for. */
export function stalled({ host }: URL, timeoutMs: number): ParleyError {
  const message = `${host} accepted the connection, and did not confirm all that a process needs (its inbox above all) within ${timeoutMs} ms`;
  return new TransportError("deadline_exceeded", message, { outcome: "not-sent" });
}

/** The error for a broker that hung up. */
export function hungUp({
  url,
  clientId,
  clientIdGiven,
}: {
  readonly url: URL;
  readonly clientId: string;
  readonly clientIdGiven: boolean;
}): ParleyError {
  const advice = clientIdGiven ? `; has another process the client id ${clientId}? One ends the other` : "";
  const message = `the broker at ${url.host} closed the connection${advice}`;
  return new TransportError("unavailable", message, { outcome: "unknown" });
}

/** The error for a link that broke. */
export function broken({ host }: URL, cause: Error): ParleyError {
  return new TransportError("unavailable", `the link to ${host} broke: ${cause.message}`, {
    outcome: "unknown",
    cause,
  });
}

/** The error for what the broker has not confirmed, and now cannot. @param what as the message begins: `the message to a/b` */
export function unanswered({ host }: URL, what: string, cause: unknown): ParleyError {
  const message = `the link to ${host} was lost before the broker confirmed ${what}`;
  return new TransportError("unavailable", message, { outcome: "unknown", cause });
}

/** The error for a message beyond what may wait. */
export function tooMany({
  url,
  maxQueued,
  maxQueuedBytes,
}: {
  readonly url: URL;
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
}): ParleyError {
  const message = `more is being sent than ${url.host} takes (at most ${maxQueued} messages and ${maxQueuedBytes} bytes wait)`;
  return new TransportError("resource_exhausted", message, { outcome: "not-sent" });
}
