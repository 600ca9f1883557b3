/** Wires that can be measured. */
export const wires = ["ws", "http", "sse"] as const;
export type Wire = (typeof wires)[number];

/**
 * - `c1`, `c64`, `c256`: requests, so many in flight.
 * - `stream`: items of a server stream.
 * - `pubsub`: deliveries of publications to four subscribers.
 */
export const measures = ["c1", "c64", "c256", "stream", "pubsub"] as const;
export type Measure = (typeof measures)[number];

/** `small`: 200 bytes of data; `large`: 16 KiB; beside about 200 bytes of attributes. */
export const sizes = ["small", "large"] as const;
export type Size = (typeof sizes)[number];

/**
 * - `raw`: the protocol's library used plainly, sending the same events.
 * - `parley`: a transport and its connection.
 * - `typed`: an agent and the typed client of its contract, as users have them.
 */
export const contenders = ["raw", "parley", "typed"] as const;
export type ContenderName = (typeof contenders)[number];

/** Connections that subscribe in the measure `pubsub`. */
export const SUBSCRIBERS = 4;

/** Publications that a subscriber may be behind. */
export const MAX_PUBLISHED_AHEAD = 256;

const MAX_STREAM_ITEMS = 10_000;

/** One measured slice of work; the same for every contender. */
export interface Workload {
  readonly measure: Measure;
  readonly size: Size;
  /** Requests in all, items in all, or publications. */
  readonly count: number;
  /** Requests in flight; 1 for what is no request. */
  readonly inFlight: number;
  /** Items of one stream; `count` is a multiple of it. */
  readonly streamItems: number;
}

const counts: Readonly<Record<Measure, Readonly<Record<Size, number>>>> = {
  c1: { small: 2_000, large: 500 },
  c64: { small: 20_000, large: 2_000 },
  c256: { small: 20_000, large: 2_000 },
  stream: { small: 3 * MAX_STREAM_ITEMS, large: 2_000 },
  pubsub: { small: 5_000, large: 500 },
};

/** The work of one slice. `scale` shortens it, 1 being the full length. */
export function workload(measure: Measure, size: Size, scale = 1): Workload {
  const wanted = Math.max(8, Math.round(counts[measure][size] * scale));
  const streamItems = Math.min(wanted, MAX_STREAM_ITEMS);
  return {
    measure,
    size,
    count: measure === "stream" ? streamItems * Math.floor(wanted / streamItems) : wanted,
    inFlight: measure === "c64" ? 64 : measure === "c256" ? 256 : 1,
    streamItems,
  };
}

/** Whether a wire has the measure: HTTP and SSE have no publishing to subscribers that raw code would do in one usual way. */
export function isMeasured(wire: Wire, measure: Measure): boolean {
  return wire === "ws" || measure !== "pubsub";
}
