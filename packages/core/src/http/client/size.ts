import { type Outcome, TransportError, utf8Length } from "../../transport/index.ts";
import type { Link } from "./link.ts";

/** Refuses to send what the peer would not take. @throws ParleyError `resource_exhausted` */
export function checkSize(text: string, { peerLimits, address }: Link, outcome: Outcome): void {
  const limit = peerLimits?.maxMessageBytes;
  // A UTF-16 code unit is at most three bytes of UTF-8.
  if (limit === undefined || text.length * 3 <= limit) return;
  const bytes = utf8Length(text);
  if (bytes <= limit) return;
  const message = `a message of ${bytes} bytes is over the ${limit} bytes that ${address} takes`;
  throw new TransportError("resource_exhausted", message, { outcome });
}

/** Refuses an answer that this side does not take. @throws ParleyError `resource_exhausted` */
export function checkAnswerSize(bytes: number, { limits, address }: Link): void {
  const limit = limits.maxMessageBytes;
  if (bytes <= limit) return;
  const message = `${address} answered with ${bytes} bytes or more, over the limit of ${limit} bytes a message`;
  throw new TransportError("resource_exhausted", message, { outcome: "unknown" });
}
