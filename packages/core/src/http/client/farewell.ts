import { type Call, encode, follower } from "../../transport/index.ts";
import type { Link } from "./link.ts";
import { postEvents } from "./uplink.ts";

/** Tells the peer that a call was given up, where closing its answer does not say so because it may be taken up again. */
export function sayFarewell(link: Link, { kind, message }: Call, code: string): void {
  if (!link.wire.resumes?.(kind)) return;
  const cancel = follower("cancel", `${message.id}.x`, message, message.source, { code });
  // The peer finds out by itself, later.
  postEvents(link, message.type, [encode(cancel, { inreplyto: message.id })]).catch(() => {});
}
