import { encode } from "../../envelope/encode.ts";
import type { Envelope } from "../../envelope/envelope.ts";

let lastMessage: Envelope | undefined;
let lastText = "";

/**
 * The text of a message for a broker: one CloudEvent in JSON with all the attributes that the message has, those that belong to this hop
 * (`call`, `timeoutms`, `credit`) included. Core measures a message by it right before it hands it to the broker's adapter, and the adapter gets
 * the same text at no cost.
 * @throws ValidationError `not-sent`, as `encode`; never for a message that core hands over.
 */
export function encodeMessage(message: Envelope): string {
  if (message === lastMessage) return lastText;
  const { call, seq, count, timeoutms, inreplyto, credit } = message;
  const text = encode(message, {
    call,
    seq,
    count,
    timeoutms,
    inreplyto,
    credit: typeof credit === "string" ? credit : undefined,
  });
  rememberText(message, text);
  return text;
}

/** What {@link encodeMessage} will say of this message. */
export function rememberText(message: Envelope, text: string): void {
  lastMessage = message;
  lastText = text;
}
