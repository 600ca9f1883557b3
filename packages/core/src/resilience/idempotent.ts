import type { Call } from "../call/call.ts";

/**
 * Whether the effect of a call may be had twice, or is had once by agreement: its operation is declared `idempotent`, it carries an
 * `idempotencykey` that the peer heeds, or it only subscribes.
 */
export function isIdempotent(call: Call): boolean {
  return call.idempotent === true || call.message.idempotencykey !== undefined || call.kind === "subscribe";
}
