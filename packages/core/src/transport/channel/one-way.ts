import type { CallKind } from "../../envelope/envelope.ts";

/** Whether a call of this kind is done when its one message is handed over. */
export function isOneWay(kind: CallKind): boolean {
  return kind === "notify" || kind === "publish";
}
