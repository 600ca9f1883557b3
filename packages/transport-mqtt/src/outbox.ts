import type { ParleyError } from "@parley/core/transport";
import type { IClientPublishOptions, MqttClient, Packet, UniqueMessageIdProvider } from "mqtt";
import { isReserved } from "./layout.ts";
import { unanswered } from "./link-error.ts";
import type { LinkInit } from "./link-init.ts";
import { FAILURE, NO_MATCHING_SUBSCRIBERS, reasonError } from "./reason.ts";

/** Confirmed messages on their way at once, whatever more the broker allows. */
const MAX_IN_FLIGHT = 1_024;

/** First byte of a PUBREL (MQTT 5, 3.6.1). */
const PUBREL = 0x62;

/** Told once what became of a message: an error, or whether anybody had subscribed (as far as the broker says). */
export type Published = (error: ParleyError | undefined, reason: number) => void;

interface Message {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly options: IClientPublishOptions;
  readonly published: Published;
}

interface InFlight extends Pick<Message, "topic" | "published"> {
  readonly isQos2: boolean;
  /** What PUBREC said, until PUBCOMP ends it. */
  reason: number;
}

/** What an {@link Outbox} is made from. */
export interface OutboxInit extends Pick<LinkInit, "url" | "session" | "maxQueued"> {
  readonly client: MqttClient;
  /** Those that the client gives its packets. */
  readonly ids: UniqueMessageIdProvider;
  /** Messages that the broker takes before it has answered them. */
  readonly receiveMaximum: number;
  /** Told when a message has left the outbox. */
  left(): void;
}

/** Messages at QoS 1 and 2: those that wait for their turn, and those that the broker has not answered. */
export class Outbox {
  readonly #init: OutboxInit;
  readonly #maxInFlight: number;
  /** By packet identifier. */
  readonly #inFlight = new Map<number, InFlight>();
  #waiting: Message[] = [];
  #waitingBytes = 0;

  constructor(init: OutboxInit) {
    this.#init = init;
    this.#maxInFlight = Math.min(init.receiveMaximum, MAX_IN_FLIGHT);
    for (const id of init.session?.unsettled ?? []) this.#release(id);
  }

  /** Whether nothing waits, nor is on its way. */
  get isEmpty(): boolean {
    return this.#inFlight.size === 0;
  }

  /** Whether messages wait for their turn. */
  get isFull(): boolean {
    return this.#waiting.length > 0;
  }

  /** Length of the messages that wait, bytes (of a text at least). */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Sends a message, at once or in its turn. False: too many wait, and it was not taken. */
  add(message: Message): boolean {
    if (this.#inFlight.size < this.#maxInFlight && this.#waiting.length === 0) this.#send(message);
    else if (this.#waiting.length >= this.#init.maxQueued) return false;
    else {
      this.#waiting.push(message);
      this.#waitingBytes += message.payload.length;
    }
    return true;
  }

  /** Takes back a message that still waits for its turn; whether it did. */
  withdraw(published: Published): boolean {
    const index = this.#waiting.findIndex((message) => message.published === published);
    if (index === -1) return false;
    const [message] = this.#waiting.splice(index, 1);
    this.#waitingBytes -= message?.payload.length ?? 0;
    this.#init.left();
    return true;
  }

  /** Takes a packet of the broker's; of others than the answers to messages nothing comes. */
  received(packet: Packet): void {
    if (packet.cmd !== "puback" && packet.cmd !== "pubrec" && packet.cmd !== "pubcomp") return;
    const { cmd, messageId: id = 0, reasonCode: reason = 0 } = packet;
    const sent = this.#inFlight.get(id);
    if (cmd === "pubrec" && reason < FAILURE) {
      if (sent) sent.reason = reason;
    } else if (cmd === "pubcomp" && this.#init.session?.unsettled.delete(id)) this.#init.ids.deallocate(id);
    else if (sent) this.#answered(id, sent, reason || sent.reason);
  }

  /** Lets the library wait for no answers any more. */
  abandon(): void {
    for (const id of [...this.#inFlight.keys()]) this.#init.client.removeOutgoingMessage(id);
  }

  /** The link has ended: what was on its way may have arrived, what waited has not. */
  end(reason: ParleyError, notSent: () => ParleyError): void {
    const { url, session } = this.#init;
    const waiting = this.#waiting;
    const inFlight = [...this.#inFlight];
    this.#waiting = [];
    this.#inFlight.clear();
    for (const [id, { topic, published, isQos2 }] of inFlight) {
      if (isQos2) session?.unsettled.add(id);
      published(unanswered(url, `the message to ${shown(topic)}`, reason), 0);
    }
    for (const { published } of waiting) published(notSent(), 0);
    this.#init.left();
  }

  #send({ topic, payload, options, published }: Message): void {
    const { client, ids } = this.#init;
    client.publish(topic, payload, options, ignore);
    this.#inFlight.set(ids.getLastAllocated(), { topic, published, isQos2: options.qos === 2, reason: 0 });
  }

  #answered(id: number, { topic, published }: InFlight, reason: number): void {
    this.#inFlight.delete(id);
    if (reason >= FAILURE) published(reasonError(`the message to ${shown(topic)}`, reason, "not-sent"), reason);
    else published(undefined, reason === NO_MATCHING_SUBSCRIBERS ? reason : 0);
    while (this.#inFlight.size < this.#maxInFlight && this.#waiting.length > 0 && !this.#init.client.stream.destroyed) {
      const next = this.#waiting.shift() as Message;
      this.#waitingBytes -= next.payload.length;
      this.#send(next);
    }
    this.#init.left();
  }

  /**
   * Lets go of a message at QoS 2 that an earlier link has sent, and of which nobody was told what became of it: as long as the broker remembers
   * its identifier, it would take another message with it for the same.
   */
  #release(id: number): void {
    const { ids, client } = this.#init;
    ids.register(id);
    client.stream.write(Buffer.from([PUBREL, 2, id >> 8, id & 0xff]));
  }
}

/** Whoever knows an inbox can write there. */
function shown(topic: string): string {
  return isReserved(topic) ? "an inbox" : topic;
}

function ignore(): void {}
