import type { Envelope } from "../../envelope/envelope.ts";

/** What an opener had as `replyto` before this hop wrote its own. */
const KEPT = "keptreplyto";

/** Attributes by which an opener keeps what its sender had put there. */
export function keepReplyTo({ replyto }: Envelope): Readonly<Record<string, unknown>> | undefined {
  return replyto === undefined ? undefined : { [KEPT]: replyto };
}

/** The opener as its sender made it: the inbox of the hop is nobody's business behind it. */
export function restoreReplyTo(message: Envelope): Envelope {
  if (message.replyto === undefined && message["credit"] === undefined) return message;
  const restored: Record<string, unknown> = {};
  for (const name in message) {
    if (name === KEPT) restored["replyto"] = message[name];
    else if (name !== "replyto" && name !== "credit") restored[name] = message[name];
  }
  // Attributes of the hop are not among those that an envelope needs.
  return restored as unknown as Envelope;
}
