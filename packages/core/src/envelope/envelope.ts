/** The kinds of call, in the terms of gRPC and of messaging. The first message of a call carries one of them. */
export const callKinds = [
  "notify",
  "request",
  "server-stream",
  "client-stream",
  "bidi-stream",
  "publish",
  "subscribe",
] as const;

/**
 * - `notify`: one message, accepted, no answer.
 * - `request`: one message, one reply.
 * - `server-stream`: one message, many items back.
 * - `client-stream`: many messages, one reply.
 * - `bidi-stream`: many both ways.
 * - `publish`: one message to whoever subscribed to its topic.
 * - `subscribe`: many messages back, until cancelled.
 */
export type CallKind = (typeof callKinds)[number];

/** What follows the opener of a call, from either side. */
export const followerKinds = ["reply", "item", "end", "error", "cancel", "credit"] as const;

/** Kind of a message that follows the opener of a call. */
export type FollowerKind = (typeof followerKinds)[number];

/** What two sides of a session tell each other about it. Each belongs to its hop, and to no call. */
export const sessionKinds = ["ack", "skip", "drain", "bye"] as const;

/** Kind of a message about a session. */
export type SessionKind = (typeof sessionKinds)[number];

/** The meaning of a message to Parley. A foreign CloudEvent has none. */
export type Kind = CallKind | FollowerKind | SessionKind;

/** What an attribute can hold in memory and in JSON (CloudEvents 1.0, "Type System"). Integers are signed 32-bit. */
export type AttributeValue = string | number | boolean;

/** Version of Parley's profile of CloudEvents; the value of the `parley` attribute. */
export const PROFILE = "1";

/**
 * A message on any wire: a CloudEvents 1.0 event in Parley's strict profile. Names are CloudEvents' own, in memory as on the wire.
 * Attributes that are not listed here are extensions: kept and forwarded.
 */
export interface Envelope {
  readonly specversion: "1.0";
  /** Version of the profile, `"1"`. Absent on a foreign CloudEvent. */
  readonly parley?: string;
  /** Unique together with `source`. 1 to 256 characters. */
  readonly id: string;
  /** Who sent it; a URI-reference. */
  readonly source: string;
  /** Operation and its major version, such as `text.summarize.v1`. */
  readonly type: string;
  readonly kind?: Kind;
  /** Creation, RFC 3339 in UTC with milliseconds. On openers and publications. */
  readonly time?: string;
  /** Media type of `data`; absent means `application/json`. */
  readonly datacontenttype?: string;
  /** URI of the schema of `data`. */
  readonly dataschema?: string;
  /** The topic of a publication, the filter of a subscription. */
  readonly subject?: string;
  /** The flow this message belongs to; absent on its root, whose own `id` it is. */
  readonly correlationid?: string;
  /** Id of the message whose handling sent this one. */
  readonly causationid?: string;
  /** Number of the call on this connection; belongs to the hop. */
  readonly call?: number;
  /** Id of the opener of the call, where neither `call` nor the own id says it. */
  readonly inreplyto?: string;
  /** Position in its direction of the stream, from 1. */
  readonly seq?: number;
  /** The number of items in this event, when more than one; `data` is then an array of them and `seq` that of the first. */
  readonly count?: number;
  /** Number of the message in its direction of a session, modulo 2^31; belongs to the hop. */
  readonly sn?: number;
  /** Number of the last message of the other direction that was taken over; belongs to the hop. */
  readonly ack?: number;
  /** Number of the last message sent; belongs to the hop. */
  readonly high?: number;
  /** Name of a session; belongs to the hop. */
  readonly session?: string;
  /** How often a session has been attached to a channel; belongs to the hop. */
  readonly generation?: number;
  /** Where answers go, on brokers. */
  readonly replyto?: string;
  /** Whom it is for. */
  readonly target?: string;
  /** Time left at the moment of sending, ms. Written anew by every hop. */
  readonly timeoutms?: number;
  /** When a stored message loses its worth, RFC 3339. */
  readonly expirytime?: string;
  /** Names an effect: the same key has the same effect once, under whatever ids. */
  readonly idempotencykey?: string;
  /** Of a call with an `idempotencykey` that may have arrived before: which attempt it is, from 2. */
  readonly attempt?: number;
  /** The same: how long ago the first attempt was sent, ms. */
  readonly agems?: number;
  /** W3C Trace Context. */
  readonly traceparent?: string;
  /** W3C Trace Context. */
  readonly tracestate?: string;
  /** Order is kept among messages with the same key. */
  readonly partitionkey?: string;
  /** Any JSON value, or bytes. `null` is a value; absent data is absent. */
  readonly data?: unknown;
  readonly [extension: string]: unknown;
}

/** Attributes that belong to one hop: written by the connection that carries a message, never forwarded. */
export const hopAttributes: ReadonlySet<string> = new Set([
  "call",
  "sn",
  "ack",
  "high",
  "session",
  "generation",
  "credit",
  "timeoutms",
]);
