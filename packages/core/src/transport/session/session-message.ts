import { type Envelope, PROFILE, type SessionKind } from "../../envelope/envelope.ts";

/** Type of an event that speaks of the connection and not of one call: its `error` says why the connection ends. */
export const CONNECTION = "parley.connection.v1";

/** A message about a session. `number` tells it from others of its kind and source. */
export function sessionMessage(kind: SessionKind, source: string, number: number): Envelope {
  return { specversion: "1.0", parley: PROFILE, id: `${kind}.${number}`, source, type: CONNECTION, kind };
}
