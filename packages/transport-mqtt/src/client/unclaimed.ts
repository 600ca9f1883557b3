import type { Log } from "@parley/core/transport";
import type { IPublishPacket } from "mqtt";
import type { Taker } from "../routes.ts";
import { matches } from "../topic.ts";

/** Messages that are kept. */
const MAX_MESSAGES = 1_024;
/** Bytes of the messages that are kept. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A message that nobody has had. */
export interface Unheard {
  readonly topic: string;
  readonly payload: Buffer;
  readonly packet: IPublishPacket;
}

/**
 * Messages for subscriptions that an earlier process has left in the session. The broker sends them as soon as it has accepted the connection; they
 * wait here for a subscription that wants them, and the oldest give way when there are too many.
 */
export class Unclaimed {
  readonly #log: Log | undefined;
  #kept: Unheard[] = [];
  #bytes = 0;

  constructor(log: Log | undefined) {
    this.#log = log;
  }

  /** Keeps a message. */
  readonly add: Taker = (topic, payload, packet) => {
    this.#kept.push({ topic, payload, packet });
    this.#bytes += payload.length;
    while (this.#kept.length > MAX_MESSAGES || this.#bytes > MAX_BYTES) {
      const dropped = this.#kept.shift();
      this.#bytes -= dropped?.payload.length ?? 0;
      this.#log?.({
        level: "warn",
        event: "message-unclaimed",
        message: `a message to ${dropped?.topic}, to which an earlier process has subscribed, was dropped: nobody here has`,
      });
    }
  };

  /** Gives away what matches. */
  claim(pattern: string): readonly Unheard[] {
    const claimed = this.#kept.filter(({ topic }) => matches(pattern, topic));
    this.#kept = this.#kept.filter(({ topic }) => !matches(pattern, topic));
    for (const { payload } of claimed) this.#bytes -= payload.length;
    return claimed;
  }
}
