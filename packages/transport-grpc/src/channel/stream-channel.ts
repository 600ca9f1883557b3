import {
  type Channel,
  type ChannelEvents,
  type OpenChannel,
  type ParleyError,
  type Runtime,
  toParleyError,
} from "@parley/core/transport";
import { CLOSE_TIMEOUT_MS } from "../options.ts";
import { encodeBatch, readBatch } from "../wire/event-batch.ts";

/** What both ends of a gRPC stream of batches have in common. */
export interface BatchStream {
  write(batch: Buffer): boolean;
  /** Ends this direction, after what was written. */
  end(): unknown;
  on(event: "data", listener: (batch: Buffer) => void): unknown;
  on(event: "drain" | "end", listener: () => void): unknown;
}

/** How one end of the stream is closed, and found closed. */
export interface StreamEnd {
  readonly stream: BatchStream;
  readonly runtime: Runtime;
  /** Ends the stream with an error that the peer is told, where this end has a way to. */
  fail(error: ParleyError): void;
  /** Drops the stream, of a peer that does not end it in time. */
  drop(): void;
  /** Runs `closed` once when the stream is over, with what went wrong. */
  onClosed(closed: (cause?: unknown) => void): void;
}

/** A batch is written at the latest at so many bytes. */
const MAX_BATCH_BYTES = 64 * 1024;

/** Ties a gRPC stream to calls: a message is a batch of events, those that leave in one turn. */
export function streamChannel(end: StreamEnd): OpenChannel<Buffer> {
  const { stream, runtime } = end;
  return (events: ChannelEvents<Buffer>): Channel<Buffer> => {
    let over = false;
    let closing = false;
    let cancelTimer: (() => void) | undefined;
    const settle = (cause?: unknown): void => {
      if (over) return;
      over = true;
      events.closed(cause);
    };
    const close = (reason?: ParleyError): void => {
      if (over) return;
      const drop = (): void => {
        cancelTimer?.();
        end.drop();
        settle(reason);
      };
      if (closing && reason) return drop();
      if (closing) return;
      closing = true;
      cancelTimer = runtime.setTimer(drop, CLOSE_TIMEOUT_MS);
      if (reason) end.fail(reason);
      else stream.end();
    };
    stream.on("data", (batch) => {
      try {
        if (!over) readBatch(batch, (event) => events.frame(event));
      } catch (thrown) {
        const error = toParleyError(thrown);
        close(error);
        settle(error);
      }
    });
    stream.on("drain", () => events.drain());
    // The peer writes no more: then neither does this side.
    stream.on("end", () => close());
    end.onClosed((cause) => {
      cancelTimer?.();
      settle(cause);
    });
    return {
      write: (frames) => !over && !closing && writeBatches(stream, frames),
      close,
    };
  };
}

/** One batch, unless large events make it too long. */
function writeBatches(stream: BatchStream, frames: readonly Buffer[]): boolean {
  let room = true;
  let from = 0;
  let bytes = 0;
  for (let to = 0; to < frames.length; to++) {
    const { length } = frames[to] as Buffer;
    if (to > from && bytes + length > MAX_BATCH_BYTES) {
      room = stream.write(encodeBatch(frames, from, to));
      from = to;
      bytes = 0;
    }
    bytes += length;
  }
  if (from < frames.length) room = stream.write(encodeBatch(frames, from));
  return room;
}
