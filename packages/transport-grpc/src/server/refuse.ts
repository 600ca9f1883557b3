import { newId, type ParleyError } from "@parley/core/transport";
import { statusOf } from "../wire/status.ts";
import type { Desk } from "./desk.ts";
import type { Outlet } from "./outlet.ts";

/** Type of the error event for a message of which nothing is known. */
const UNREAD = "parley.error.v1";

/** Turns a message away before it became a call. */
export function refuse(desk: Desk, outlet: Outlet, error: ParleyError): void {
  desk.refused();
  outlet.fail(statusOf(error, { id: newId(desk.runtime), type: UNREAD }, desk.source));
}
