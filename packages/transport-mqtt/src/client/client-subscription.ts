import { ItemQueue, ParleyError } from "@parley/core/transport";
import { invalid } from "../invalid.ts";
import type { Taker } from "../routes.ts";
import type { MqttMessage } from "./message.ts";
import type { MqttGrant, MqttOverflow, MqttSubscribeOptions } from "./options.ts";
import { readMessage } from "./read-message.ts";
import type { MqttSubscription } from "./subscription.ts";

/** What a {@link ClientSubscription} is made from. */
export interface ClientSubscriptionInit {
  /** As errors name it. */
  readonly name: string;
  readonly options: MqttSubscribeOptions;
  /** Takes the filters back. */
  remove(): Promise<void>;
}

/** The subscription of a client: a bounded queue with one reader. */
export class ClientSubscription implements MqttSubscription {
  filters: readonly MqttGrant[] = [];
  readonly closed: Promise<ParleyError | undefined>;
  readonly #name: string;
  readonly #remove: () => Promise<void>;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #overflow: MqttOverflow;
  readonly #wantsRetained: boolean;
  readonly #queue: ItemQueue<MqttMessage>;
  readonly #close: (reason: ParleyError | undefined) => void;
  #bytes = 0;
  #dropped = 0;
  #over = false;
  #latest: unknown;
  #removed: Promise<void> | undefined;

  /** @throws ParleyError `invalid_argument` for bounds that make no sense */
  constructor({ name, options, remove }: ClientSubscriptionInit) {
    const { maxUnread = 1_024, maxUnreadBytes = 16 * 1024 * 1024, overflow = "fail", retained = true } = options;
    this.#name = name;
    this.#remove = remove;
    this.#maxMessages = checkCount(maxUnread, "maxUnread");
    this.#maxBytes = checkCount(maxUnreadBytes, "maxUnreadBytes");
    this.#overflow = overflow;
    this.#wantsRetained = retained;
    this.#queue = new ItemQueue({
      taken: (bytes) => {
        this.#bytes -= bytes;
      },
      abandoned: () => void this.unsubscribe(),
    });
    const { promise, resolve } = Promise.withResolvers<ParleyError | undefined>();
    this.closed = promise;
    this.#close = resolve;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Takes what arrives. */
  readonly take: Taker = (topic, payload, packet) => {
    // Several filters may match one message.
    if (this.#over || packet === this.#latest || (packet.retain && !this.#wantsRetained)) return;
    this.#latest = packet;
    const bytes = payload.length + topic.length;
    while (this.#isFull(bytes)) {
      if (this.#overflow === "fail") return this.#tooSlow();
      this.#dropped++;
      if (this.#overflow === "drop-new") return;
      // Takes the oldest at once.
      void this.#queue.next();
    }
    this.#bytes += bytes;
    this.#queue.push(readMessage(topic, payload, packet), bytes);
  };

  /** No more will come. @param how whether what has come is still read */
  end(reason: ParleyError | undefined, how: "fail" | "abort" = "fail"): void {
    if (this.#over) return;
    this.#over = true;
    if (reason) this.#queue[how](reason);
    else this.#queue.end();
    this.#close(reason);
    this.#removed ??= this.#remove();
  }

  next(): Promise<IteratorResult<MqttMessage, undefined>> {
    return this.#queue.next();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    const done = await this.#queue.return();
    await this.unsubscribe();
    return done;
  }

  async unsubscribe(): Promise<void> {
    this.end(undefined);
    await this.#removed;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe();
  }

  #isFull(bytes: number): boolean {
    const { size } = this.#queue;
    return size >= this.#maxMessages || (size > 0 && this.#bytes + bytes > this.#maxBytes);
  }

  #tooSlow(): void {
    this.#dropped++;
    const message = `the reader of ${this.#name} is too slow: ${this.#queue.size} messages wait for it, and what follows is lost; read faster, or say what may be dropped with the option overflow`;
    this.end(new ParleyError("data_loss", message, { outcome: "unknown" }));
  }
}

function checkCount(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(`${name} is ${String(value)}, and must be a positive whole number`);
}
