import type { Log, OpenChannel } from "@parley/core/transport";
import type { OpenChild } from "./child.ts";
import { endError } from "./child-error.ts";
import { FrameReader } from "./frame-reader.ts";
import { frameWriter } from "./frame-writer.ts";

/** Time that a child has after its stdin ended when the connection failed. */
const FAILED_EXIT_MS = 200;

/** What {@link childChannel} needs to know of the child. */
export interface ChildChannelInit {
  readonly program: string;
  readonly exitMs: number;
  readonly maxMessageBytes: number;
  readonly log: Log | undefined;
}

/** Ties a child to calls: frames are lines of its stdin and stdout, and the channel ends, with why, when it does. */
export function childChannel(open: OpenChild, init: ChildChannelInit): OpenChannel {
  const { program, exitMs, maxMessageBytes, log } = init;
  return (events) => {
    const reader = new FrameReader(events, { maxMessageBytes, peer: program, log });
    let asked = false;
    const child = open({
      data: (chunk) => reader.push(chunk),
      outputEnded: () => reader.end(),
      inputLost: () => child.end(),
      ended: (end) => events.closed(asked ? undefined : endError(program, end)),
    });
    return {
      write: frameWriter(child.stdin, () => events.drain()),
      close(reason) {
        if (asked) return;
        asked = true;
        child.end(reason ? Math.min(exitMs, FAILED_EXIT_MS) : exitMs);
      },
    };
  };
}
