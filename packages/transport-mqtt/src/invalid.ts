import { ParleyError } from "@parley/core/transport";

/** The error for what is refused before anything is sent. */
export function invalid(message: string): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
