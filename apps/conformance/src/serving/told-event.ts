import { decode, encode } from "@parley/core/transport";
import { monotonicNow } from "../history.ts";
import type { Called, HandlerEvent } from "./control.ts";

/** An event as plain JSON data: the message is its own JSON text, so that no number and no byte is lost on the way. */
export type ToldEvent = Omit<HandlerEvent, "at">;

/** An event for whoever is not in this process. */
export function tellEvent({ what, operation, call, detail }: HandlerEvent): ToldEvent {
  if (what !== "called") return { what, operation, call, ...(detail === undefined ? {} : { detail }) };
  const { message, ...rest } = detail as Called; // what "called" carries
  return { what, operation, call, detail: { ...rest, message: encode(message) } };
}

/** An event that was told; it happens when it arrives. */
export function heardEvent({ what, operation, call, detail }: ToldEvent): HandlerEvent {
  const at = monotonicNow();
  if (what !== "called") return { at, what, operation, call, ...(detail === undefined ? {} : { detail }) };
  const { message: text, ...rest } = detail as { message: string; kind: string };
  const message = decode(text);
  const bytes = message.data instanceof Uint8Array ? { bytes: message.data.constructor.name } : {};
  return { at, what, operation, call, detail: { ...rest, message, ...bytes } satisfies Called };
}
