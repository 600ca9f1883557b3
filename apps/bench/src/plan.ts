import { isMeasuredOf, isOther, type OtherName, otherNames, others } from "./others.ts";

/** Wires that can be measured. */
export const wires = ["stdio", "ws", "http", "sse", "grpc", "mqtt"] as const;
export type Wire = (typeof wires)[number];

/**
 * Compared with raw:
 * - `c1`, `c64`, `c256`: requests, so many in flight.
 * - `stream`: items of a server stream.
 * - `pubsub`: deliveries of publications to four subscribers.
 */
export const measures = ["c1", "c64", "c256", "stream", "pubsub"] as const;
export type Measure = (typeof measures)[number];

/**
 * How cost grows:
 * - `in-flight`: requests, with the number of them under way.
 * - `connections`: requests, with the number of connections they are spread over.
 * - `subscriptions`: deliveries of publications, with the number of topics that one connection has subscribed to.
 * - `item-bytes`: items of a stream, with their size.
 */
export const curves = ["in-flight", "connections", "subscriptions", "item-bytes"] as const;
export type Curve = (typeof curves)[number];

/**
 * What is measured without a clock, or once: `footprint` is import time and installed size, `allocations` is bytes a call, `profile` is what the time
 * goes into.
 */
export const extras = ["footprint", "allocations", "profile"] as const;
export type Extra = (typeof extras)[number];

/** `small`: 200 bytes of data; `large`: 16 KiB; beside about 200 bytes of attributes. */
export const sizes = ["small", "large"] as const;
export type Size = (typeof sizes)[number];

/** A usual size, or that many bytes of text. */
export type Content = Size | number;

/**
 * - `raw`: the protocol's library used plainly, sending the same events.
 * - `parley`: a transport and its connection.
 * - `native`: the same with a gRPC call for each call, as with peers without Parley.
 * - `batched`: the same with the small messages of a turn in one HTTP request.
 * - `typed`: an agent and the typed client of its contract, as users have them.
 * - `resilient`: the same with retry, breaker, bulkhead and timeout.
 */
export const ownContenders = ["raw", "parley", "native", "batched", "typed", "resilient"] as const;

/** These, and other frameworks. */
export type ContenderName = (typeof ownContenders)[number] | OtherName;
export const contenders: readonly ContenderName[] = [...ownContenders, ...otherNames];

/** Connections that subscribe in the measure `pubsub`. */
export const SUBSCRIBERS = 4;

/** One slice of work, the same for every contender. */
export type Workload = Requests | Streams | Publications;

export interface Requests {
  readonly does: "requests";
  readonly content: Content;
  readonly count: number;
  readonly inFlight: number;
  /** Connections over which they are spread. */
  readonly connections: number;
}

export interface Streams {
  readonly does: "streams";
  readonly content: Content;
  /** Streams, one after the other, of so many items. */
  readonly streams: number;
  readonly items: number;
}

export interface Publications {
  readonly does: "publications";
  readonly content: Content;
  readonly count: number;
  /** Published to in turn. */
  readonly topics: number;
  /** Connections that have subscribed to each topic. */
  readonly subscribers: number;
}

const STREAM_ITEMS = 10_000;

const counts: Readonly<Record<Measure, Readonly<Record<Size, number>>>> = {
  c1: { small: 2_000, large: 500 },
  c64: { small: 20_000, large: 2_000 },
  c256: { small: 20_000, large: 2_000 },
  stream: { small: 3 * STREAM_ITEMS, large: 2_000 },
  pubsub: { small: 5_000, large: 500 },
};

/** Slices of other frameworks are so much shorter: the slowest of them take as long as the rest together. */
const OTHERS_SCALE = 0.2;

/** The length of a contender's slices of work, where that of Parley's is `scale`. */
export function scaleOf(name: ContenderName, scale: number): number {
  return isOther(name) ? scale * OTHERS_SCALE : scale;
}

/** The work of one slice. `scale` shortens it, 1 being the full length. */
export function workload(measure: Measure, size: Size, scale = 1): Workload {
  const count = Math.max(8, Math.round(counts[measure][size] * scale));
  switch (measure) {
    case "stream": {
      const items = Math.min(count, STREAM_ITEMS);
      return { does: "streams", content: size, streams: Math.floor(count / items), items };
    }
    case "pubsub":
      return { does: "publications", content: size, count, topics: 1, subscribers: SUBSCRIBERS };
    default:
      return { does: "requests", content: size, count, inFlight: Number(measure.slice(1)), connections: 1 };
  }
}

/**
 * Whether a wire has the measure or the curve, and the contender too: at the other end of a pipe is one process, which cannot be four, or hear
 * another.
 */
export function isMeasured(wire: Wire, measured: Measure | Curve, name: ContenderName = "raw"): boolean {
  if (isOther(name) && !isMeasuredOf(name, measured)) return false;
  return wire !== "stdio" || !(["pubsub", "connections", "subscriptions"] as readonly string[]).includes(measured);
}

/** Whether a contender takes part in a comparison: other frameworks do with small events. */
export function takesPart(name: ContenderName, wire: Wire, measure: Measure, size: Size): boolean {
  return isMeasured(wire, measure, name) && (size === "small" || !isOther(name));
}

/** Whether a wire has the contender. */
export function isContender(wire: Wire, name: ContenderName): boolean {
  if (name === "native") return wire === "grpc";
  if (name === "batched") return wire === "http";
  if (isOther(name)) return others[name].wires.includes(wire);
  return true;
}
