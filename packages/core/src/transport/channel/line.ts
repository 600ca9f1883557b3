import type { Channel, ChannelEvents, OpenChannel } from "./channel.ts";
import type { Frame } from "./frame-codec.ts";

/** One channel, and whoever is told what comes by it: a session that is resumed takes over the line that its hello came by. */
export class Line {
  readonly channel: Channel<Frame>;
  #events: ChannelEvents<Frame> | undefined;

  constructor(open: OpenChannel<Frame>, events: ChannelEvents<Frame>) {
    this.#events = events;
    this.channel = open({
      frame: (frame) => this.#events?.frame(frame),
      refused: () => this.#events?.refused(),
      drain: () => this.#events?.drain(),
      closed: (cause) => this.#events?.closed(cause),
    });
  }

  /** From now on somebody else is told; nobody, if there are no events. */
  hand(events: ChannelEvents<Frame> | undefined): void {
    this.#events = events;
  }
}
