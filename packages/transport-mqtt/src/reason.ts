import { type Code, errorFor, type Outcome, ParleyError } from "@parley/core/transport";

/** PUBACK and PUBREC: taken, and nobody has subscribed (MQTT 5, 3.4.2.1). No failure by itself. */
export const NO_MATCHING_SUBSCRIBERS = 0x10;

/** From here on a reason code is a failure (MQTT 5, 2.4). */
export const FAILURE = 0x80;

const UNSUPPORTED_VERSION = 0x84;
const NOT_AUTHORIZED = 0x87;

/** DISCONNECT: another connection has the same client id (MQTT 5, 3.14.2.1). */
export const SESSION_TAKEN_OVER = 0x8e;

/** A reason code as an error: MQTT's words, Parley's code. */
interface Reason {
  readonly says: string;
  readonly code: Code;
}

/**
 * What a broker's reason codes mean (MQTT 5, 2.4). Published in `docs/wire.md`. An unknown code at 0x80 and above is `unavailable` like
 * 0x80. Retrying helps with `unavailable` and `resource_exhausted`.
 */
export const reasons: ReadonlyMap<number, Reason> = new Map<number, Reason>([
  [0x10, { says: "no matching subscribers", code: "unavailable" }],
  [0x80, { says: "unspecified error", code: "unavailable" }],
  [0x81, { says: "malformed packet", code: "internal" }],
  [0x82, { says: "protocol error", code: "internal" }],
  [0x83, { says: "implementation specific error", code: "unavailable" }],
  [0x84, { says: "unsupported protocol version", code: "failed_precondition" }],
  [0x85, { says: "client identifier not valid", code: "invalid_argument" }],
  [0x86, { says: "bad user name or password", code: "unauthenticated" }],
  [0x87, { says: "not authorized", code: "permission_denied" }],
  [0x88, { says: "server unavailable", code: "unavailable" }],
  [0x89, { says: "server busy", code: "unavailable" }],
  [0x8a, { says: "banned", code: "permission_denied" }],
  [0x8b, { says: "server shutting down", code: "unavailable" }],
  [0x8c, { says: "bad authentication method", code: "unauthenticated" }],
  [0x8d, { says: "keep alive timeout", code: "unavailable" }],
  [0x8e, { says: "session taken over", code: "already_exists" }],
  [0x8f, { says: "topic filter invalid", code: "invalid_argument" }],
  [0x90, { says: "topic name invalid", code: "invalid_argument" }],
  [0x91, { says: "packet identifier in use", code: "internal" }],
  [0x92, { says: "packet identifier not found", code: "internal" }],
  [0x93, { says: "receive maximum exceeded", code: "resource_exhausted" }],
  [0x94, { says: "topic alias invalid", code: "internal" }],
  [0x95, { says: "packet too large", code: "resource_exhausted" }],
  [0x96, { says: "message rate too high", code: "resource_exhausted" }],
  [0x97, { says: "quota exceeded", code: "resource_exhausted" }],
  [0x98, { says: "administrative action", code: "unavailable" }],
  [0x99, { says: "payload format invalid", code: "invalid_argument" }],
  [0x9a, { says: "retain not supported", code: "failed_precondition" }],
  [0x9b, { says: "QoS not supported", code: "failed_precondition" }],
  [0x9c, { says: "use another server", code: "unavailable" }],
  [0x9d, { says: "server moved", code: "unavailable" }],
  [0x9e, { says: "shared subscriptions not supported", code: "failed_precondition" }],
  [0x9f, { says: "connection rate exceeded", code: "resource_exhausted" }],
  [0xa0, { says: "maximum connect time", code: "unavailable" }],
  [0xa1, { says: "subscription identifiers not supported", code: "failed_precondition" }],
  [0xa2, { says: "wildcard subscriptions not supported", code: "failed_precondition" }],
]);

/** Return codes of a CONNACK in MQTT 3.1.1 (3.2.2.3) as the reason codes that MQTT 5 has for them. */
const returnCodes: Readonly<Record<number, number>> = { 1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87 };

/**
 * The error for a reason code. `details.reason` has the code.
 * @param what what failed, as the beginning of a sentence: `a subscription to a/b`.
 */
export function reasonError(what: string, reason: number, outcome: Outcome, advice = ""): ParleyError {
  return errorOf(what, reason, codeOf(reason), outcome, advice);
}

/**
 * The error for a CONNACK that is none of success, of either version of MQTT. "Not authorized" is `unauthenticated` there: brokers say it of
 * a wrong password too, so nobody is known yet who could be permitted something or not.
 * @param username the one that was given
 */
export function refusedConnect(host: string, reason: number, username: string | undefined): ParleyError {
  const normal = returnCodes[reason] ?? reason;
  const code = normal === NOT_AUTHORIZED ? "unauthenticated" : codeOf(normal);
  if (code !== "unauthenticated" && code !== "permission_denied")
    return reasonError(`the connection to ${host}`, normal, "not-sent");
  const as = username === undefined ? "" : ` as ${JSON.stringify(username)}`;
  const advice =
    username === undefined
      ? ": give credentials (options username and password, or tls.cert)"
      : ": check user name and password, and whether the broker lets this user in";
  return errorOf(`the connection to ${host}${as}`, normal, code, "rejected", advice);
}

/** Whether a broker refused the version of MQTT. */
export function isVersionRefusal(error: unknown): boolean {
  if (!(error instanceof ParleyError)) return false;
  return (error.details as { readonly reason?: unknown } | undefined)?.reason === UNSUPPORTED_VERSION;
}

function codeOf(reason: number): Code {
  return reasons.get(reason)?.code ?? "unavailable";
}

function errorOf(what: string, reason: number, code: Code, outcome: Outcome, advice: string): ParleyError {
  const says = reasons.get(reason)?.says ?? "unknown reason";
  const hex = `0x${reason.toString(16).padStart(2, "0")}`;
  return errorFor(code, `${what} was refused by the broker: ${says} (${hex})${advice}`, {
    outcome,
    details: { reason },
  });
}
