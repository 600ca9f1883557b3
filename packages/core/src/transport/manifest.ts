import type { CallKind } from "../envelope/envelope.ts";

/** What a transport promises. Nothing has a default: every key is stated, and the conformance suite holds the transport to it both ways. */
export interface Manifest {
  /** `native`: the protocol has it; `emulated`: Parley builds it there; `none`: fails with `unimplemented`, outcome `not-sent`, before anything is sent. */
  readonly kinds: Readonly<Record<CallKind, "native" | "emulated" | "none">>;
  /** How often a message that was accepted may arrive. */
  readonly delivery: "at-most-once" | "at-least-once";
  /** Whether cancelling reaches the peer's handler. */
  readonly cancel: "peer" | "local";
  /** What a reader that stalls holds up: its own stream, the whole connection, or nothing (messages are dropped or buffered). */
  readonly backpressure: "stream" | "connection" | "none";
  /** Where order is kept: among all messages of a connection, within one call, nowhere. */
  readonly ordering: "connection" | "call" | "none";
  /** Whether calls survive a cut, of a connection that is dialled again (`reconnecting`). */
  readonly resume: "none" | "session";
  /** Whether the wire may deliver a message twice. */
  readonly duplicates: boolean;
  /** Whether the wire may lose messages while the connection lives; lost items of a stream are told as `data_loss`. */
  readonly gaps: boolean;
  /** Whether the listening side can call the one that dialled. */
  readonly serverInitiated: boolean;
  /** Whether subscriptions take filters with `+` and `#`. */
  readonly wildcards: boolean;
  /** What a late subscriber gets of what was published before. */
  readonly lateSubscriber: "nothing" | "retained";
  readonly limits: Limits;
  /** What a broker between the two adds; `null` where there is none. */
  readonly broker: BrokerPromises | null;
}

/** Bounds of a connection, as each side tells the other in the handshake. */
export interface Limits {
  /** Longest encoded message that is received, bytes. */
  readonly maxMessageBytes: number;
  /** Calls that one side answers at the same time on one connection. */
  readonly maxCalls: number;
  /** Items of one stream that may be on their way to a reader who takes none. */
  readonly windowItems: number;
  /** Bytes of `data` of one stream that may be on their way to a reader who takes none. */
  readonly windowBytes: number;
}

/** What calls over a broker can rely on. */
export interface BrokerPromises {
  /** Whether several agents of one name share the work. */
  readonly replicas: boolean;
  /** Whether the broker says at once that nobody serves a name. */
  readonly noResponders: boolean;
  /** Whether the broker vouches for who sent a message. */
  readonly senderIdentity: boolean;
  /** Whether a peer that vanishes is noticed by the broker. */
  readonly presence: boolean;
  /** How a lost item is noticed: at the next item or lease, or never. */
  readonly lossDetection: "sequence" | "none";
  /** What the broker does when a subscriber is too slow. */
  readonly overflow: "block" | "drop-oldest" | "drop-new" | "disconnect";
  /** Steps in which the broker expires messages, ms; 0 if it never does. */
  readonly expiryResolutionMs: number;
}

/* @__NO_SIDE_EFFECTS__ */
const oneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): string | undefined =>
    values.includes(value) ? undefined : `must be one of ${values.map((one) => JSON.stringify(one)).join(", ")}`;

const bool = oneOf(true, false);

const support = oneOf("native", "emulated", "none");

const count = (value: unknown): string | undefined =>
  Number.isSafeInteger(value) && (value as number) > 0 ? undefined : "must be a positive whole number";

const countOrZero = (value: unknown): string | undefined => (value === 0 ? undefined : count(value));

const brokerShape = {
  replicas: bool,
  noResponders: bool,
  senderIdentity: bool,
  presence: bool,
  lossDetection: oneOf("sequence", "none"),
  overflow: oneOf("block", "drop-oldest", "drop-new", "disconnect"),
  expiryResolutionMs: countOrZero,
} satisfies Record<keyof BrokerPromises, unknown>;

const kindsShape = {
  notify: support,
  request: support,
  "server-stream": support,
  "client-stream": support,
  "bidi-stream": support,
  publish: support,
  subscribe: support,
} satisfies Record<CallKind, unknown>;

const manifestShape = {
  kinds: kindsShape,
  delivery: oneOf("at-most-once", "at-least-once"),
  cancel: oneOf("peer", "local"),
  backpressure: oneOf("stream", "connection", "none"),
  ordering: oneOf("connection", "call", "none"),
  resume: oneOf("none", "session"),
  duplicates: bool,
  gaps: bool,
  serverInitiated: bool,
  wildcards: bool,
  lateSubscriber: oneOf("nothing", "retained"),
  limits: { maxMessageBytes: count, maxCalls: count, windowItems: count, windowBytes: count },
  broker: (value: unknown) =>
    value === null ? undefined : problemsOf(value, brokerShape, "broker").join("; ") || undefined,
} satisfies Record<keyof Manifest, unknown>;

type Shape = { readonly [key: string]: Shape | ((value: unknown) => string | undefined) };

/** What is wrong with a manifest, a sentence each: keys that are missing, unknown, or hold what they cannot. Empty means sound. */
export function manifestProblems(manifest: unknown): readonly string[] {
  return problemsOf(manifest, manifestShape, "manifest");
}

function problemsOf(value: unknown, shape: Shape, path: string): string[] {
  if (typeof value !== "object" || value === null)
    return [`${path} must be an object, and is ${JSON.stringify(value) ?? "missing"}`];
  const record = value as Record<string, unknown>;
  const unknown = Object.keys(record).filter((key) => !Object.hasOwn(shape, key));
  return [
    ...unknown.map((key) => `${path}.${key} is not a key of a manifest`),
    ...Object.entries(shape).flatMap(([key, rule]) => {
      const at = `${path}.${key}`;
      if (!Object.hasOwn(record, key)) return [`${at} is missing; a manifest has no defaults`];
      if (typeof rule === "object") return problemsOf(record[key], rule, at);
      const problem = rule(record[key]);
      return problem === undefined ? [] : [`${at} ${problem}, and is ${JSON.stringify(record[key]) ?? "undefined"}`];
    }),
  ];
}
