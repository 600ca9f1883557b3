import type { Socket } from "node:net";
import { type ParleyError, TransportError } from "@parley/core/transport";
import type { IClientPublishOptions, MqttClient, Packet, UniqueMessageIdProvider } from "mqtt";
import { encodePublish } from "./encode-publish.ts";
import type { Inlet } from "./inlet.ts";
import { broken, hungUp, tooMany, unanswered } from "./link-error.ts";
import { CLOSE_TIMEOUT_MS, type LinkInit, type Server } from "./link-init.ts";
import type { Qos } from "./options.ts";
import { Outbox, type Published } from "./outbox.ts";
import { FAILURE, reasonError, SESSION_TAKEN_OVER } from "./reason.ts";

/** What a {@link Link} is made from. */
export interface LinkParts {
  readonly client: MqttClient;
  /** Those that the client gives its packets. */
  readonly ids: UniqueMessageIdProvider;
  readonly socket: Socket;
  readonly inlet: Inlet;
  readonly server: Server & { readonly receiveMaximum: number };
  readonly init: LinkInit;
}

/** One SUBSCRIBE. */
export interface SubscribeOptions {
  readonly qos: Qos;
  /** Its subscription identifier. */
  readonly id?: number | undefined;
  /** Whether retained messages are wanted. */
  readonly retained: boolean;
  /** Told of the SUBACK that grants it, before what came right after it is handed over. */
  readonly onGranted?: () => void;
}

/** After so much of one turn the first of it leaves. */
const GATHERED_MESSAGES = 16;
const GATHERED_BYTES = 64 * 1024;

/** A PINGREQ (MQTT 5, 3.12). */
const PINGREQ = Buffer.from([0xc0, 0]);

/** A connection to a broker. Publishes in order, holds back what the broker would not take, and tells what became of each message. */
export class Link {
  readonly server: Server;
  /** Resolves when the link has ended, whoever ended it, with what follows from that for others. */
  readonly closed: Promise<ParleyError>;
  readonly #client: MqttClient;
  readonly #socket: Socket;
  readonly #init: LinkInit;
  readonly #outbox: Outbox;
  /** Messages that were written and have not left yet. */
  #gathered = 0;
  #emptied: (() => void) | undefined;
  #drained: (() => void) | undefined;
  readonly #flush = (): void => {
    this.#gathered = 0;
    this.#socket.uncork();
  };
  #writable: Promise<void> | undefined;
  #pong: PromiseWithResolvers<void> | undefined;
  /** Who is told of a grant: by filter until SUBSCRIBE leaves, then by its packet identifier. The library's own answer comes later. */
  readonly #grants = new Map<string | number, () => void>();
  #lost: ParleyError | undefined;
  #closing: Promise<void> | undefined;

  constructor({ client, ids, socket, inlet, server, init }: LinkParts) {
    this.server = server;
    this.#client = client;
    this.#socket = socket;
    this.#init = init;
    this.#outbox = new Outbox({
      ...init,
      client,
      ids,
      receiveMaximum: server.receiveMaximum,
      left: () => this.#left(),
    });
    this.closed = new Promise((resolve) => socket.once("close", () => resolve(this.#closed())));
    inlet.deliverTo((packet) => init.arrived(packet.topic, packet.payload, packet));
    client.on("message", (topic, payload, packet) => init.arrived(topic, payload, packet));
    client.on("packetsend", (packet) => this.#sent(packet));
    client.on("packetreceive", (packet) => this.#received(packet));
    // A broker that breaks the protocol ends the link: the library would go on, and what it dropped would be missing untold.
    client.on("error", (error) => this.drop(broken(init.url, error)));
    socket.on("error", (error) => this.drop(broken(init.url, error)));
  }

  get isOpen(): boolean {
    return this.#lost === undefined && this.#closing === undefined && !this.#socket.destroyed;
  }

  /** Sends a message. `published` is called once: at QoS 0 when it is written, else when the broker has answered. Never throws. */
  publish(topic: string, payload: string | Buffer, options: IClientPublishOptions, published?: Published): void {
    const refusal = this.#refusal(topic, payload, options);
    if (refusal) return published?.(refusal, 0);
    this.#gather();
    if (!options.qos) {
      this.#socket.write(encodePublish(this.server.version, topic, payload, options));
      return published?.(undefined, 0);
    }
    const taken = this.#outbox.add({ topic, payload, options, published: published ?? ignore });
    if (!taken) published?.(tooMany(this.#init), 0);
  }

  /** Takes back a message that still waits for its turn; whether it did. @param published as given to `publish` */
  withdraw(published: Published): boolean {
    return this.#outbox.withdraw(published);
  }

  /** Resolves when the broker has granted it, with the QoS that it granted. @throws ParleyError as the broker refuses */
  subscribe(filter: string, { qos, id, retained, onGranted }: SubscribeOptions): Promise<Qos> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(this.#notOpen());
      // 2 is "no retained messages" (MQTT 5, 3.8.3.1).
      const options = { qos: Math.min(qos, server.maximumQoS) as Qos, rh: retained ? 0 : 2 };
      const properties = id === undefined ? {} : { properties: { subscriptionIdentifier: id } };
      if (onGranted) this.#grants.set(filter, onGranted);
      this.#client.subscribe({ [filter]: options }, { qos, ...properties }, (error, _granted, suback) => {
        const reason = Number(suback?.granted?.[0] ?? 0);
        if (reason >= FAILURE) reject(reasonError(`the subscription to ${filter}`, reason, "rejected"));
        else if (error) reject(unanswered(this.#init.url, `the subscription to ${filter}`, this.#lost ?? error));
        else resolve(reason as Qos);
      });
    });
  }

  /** Resolves when the broker has forgotten it, or the link is gone, which is the same. */
  unsubscribe(filter: string): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      this.#client.unsubscribe(filter, () => resolve());
    });
  }

  /** Resolves at the broker's next sign of life. @throws ParleyError when the link is lost */
  ping(): Promise<void> {
    if (!this.isOpen) return Promise.reject(this.#notOpen());
    if (!this.#pong) {
      this.#pong = Promise.withResolvers();
      // Who asked may have left meanwhile.
      this.#pong.promise.catch(ignore);
    }
    this.#socket.write(PINGREQ);
    return this.#pong.promise;
  }

  /** Nothing when messages can be sent at once; else a promise of when they can. */
  writable(): Promise<void> | undefined {
    if (!this.#isFull()) return undefined;
    this.#writable ??= new Promise<void>((resolve) => {
      this.#emptied = () => {
        if (this.isOpen && this.#isFull()) return;
        this.#socket.off("drain", look);
        this.#writable = undefined;
        this.#emptied = undefined;
        resolve();
      };
      const look = (): void => this.#emptied?.();
      this.#socket.on("drain", look);
    });
    return this.#writable;
  }

  /** Lets what is under way be confirmed within the grace, tells the broker goodbye (so it publishes no will), and hangs up. Idempotent. */
  close(graceMs: number = CLOSE_TIMEOUT_MS): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  /** Gives the link up at once, for this reason. */
  drop(error: ParleyError): void {
    this.#lost ??= error;
    this.#socket.destroy();
  }

  async #close(graceMs: number): Promise<void> {
    if (this.#socket.destroyed) return;
    const { runtime } = this.#init;
    const confirmed = new Promise<void>((resolve) => {
      if (this.#outbox.isEmpty) return resolve();
      this.#drained = resolve;
    });
    let cancelTimer = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancelTimer = runtime.setTimer(resolve, graceMs);
    });
    await Promise.race([confirmed, late, this.closed]);
    cancelTimer();
    this.#outbox.abandon();
    this.#client.end(false);
    cancelTimer = runtime.setTimer(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
    await this.closed;
    cancelTimer();
  }

  /** What is sent in one turn leaves in one write, or in several when it is much, so that the broker begins while this side still sends. */
  #gather(): void {
    if (this.#gathered === 0) {
      this.#socket.cork();
      this.#init.runtime.defer(this.#flush);
    }
    if (++this.#gathered % GATHERED_MESSAGES !== 0 && this.#socket.writableLength < GATHERED_BYTES) return;
    this.#socket.uncork();
    this.#socket.cork();
  }

  #sent(packet: Packet): void {
    if (packet.cmd !== "subscribe") return;
    const { messageId = 0, subscriptions } = packet;
    for (const { topic } of subscriptions) {
      const onGranted = this.#grants.get(topic);
      if (onGranted) this.#grants.set(messageId, onGranted);
      this.#grants.delete(topic);
    }
  }

  #received(packet: Packet): void {
    if (packet.cmd === "disconnect") this.#dismissed(packet.reasonCode);
    else if (packet.cmd === "suback") {
      const { messageId = 0, granted } = packet;
      if (Number(granted[0]) < FAILURE) this.#grants.get(messageId)?.();
      this.#grants.delete(messageId);
    } else if (packet.cmd === "pingresp") {
      this.#pong?.resolve();
      this.#pong = undefined;
    } else this.#outbox.received(packet);
  }

  /** A message has left the outbox. */
  #left(): void {
    this.#emptied?.();
    if (this.#outbox.isEmpty) this.#drained?.();
  }

  #dismissed(reason = 0x80): void {
    const { url, clientId } = this.#init;
    const advice =
      reason === SESSION_TAKEN_OVER
        ? `; another connection has the client id ${clientId}: give each process its own, or leave the option clientId out`
        : "";
    this.drop(reasonError(`the link to ${url.host}`, reason, "unknown", advice));
  }

  #refusal(topic: string, payload: string | Buffer, options: IClientPublishOptions): ParleyError | undefined {
    if (!this.isOpen) return this.#notOpen();
    if (this.#socket.writableLength + this.#outbox.waitingBytes > this.#init.maxQueuedBytes) return tooMany(this.#init);
    const { maximumPacketBytes } = this.server;
    if (maximumPacketBytes === Number.POSITIVE_INFINITY) return undefined;
    // A character is at most three bytes: most messages need not be measured.
    if ((payload.length + topic.length) * 3 + 512 < maximumPacketBytes && !options.properties) return undefined;
    const bytes = Buffer.byteLength(payload) + Buffer.byteLength(topic) + propertyBytes(options) + 16;
    if (bytes <= maximumPacketBytes) return undefined;
    const message = `the message has ${bytes} bytes, and ${this.#init.url.host} takes packets of ${maximumPacketBytes} at most`;
    return new TransportError("resource_exhausted", message, { outcome: "not-sent" });
  }

  #isFull(): boolean {
    return this.#socket.writableNeedDrain || this.#outbox.isFull;
  }

  #notOpen(cause?: unknown): ParleyError {
    return new TransportError("unavailable", `the link to ${this.#init.url.host} is closed`, {
      outcome: "not-sent",
      cause: this.#lost ?? cause,
    });
  }

  #closed(): ParleyError {
    const error = this.#lost ?? hungUp(this.#init);
    this.#lost = error;
    this.#outbox.end(error, () => this.#notOpen());
    this.#pong?.reject(this.#notOpen());
    if (!this.#closing) this.#init.down(error);
    return error;
  }
}

function propertyBytes({ properties }: IClientPublishOptions): number {
  if (!properties) return 0;
  const { userProperties = {}, responseTopic = "", contentType = "", correlationData } = properties;
  let bytes = Buffer.byteLength(responseTopic) + Buffer.byteLength(contentType) + (correlationData?.length ?? 0) + 24;
  for (const [name, value] of Object.entries(userProperties)) {
    for (const one of [value].flat()) bytes += (name.length + one.length) * 3 + 5;
  }
  return bytes;
}

function ignore(): void {}
