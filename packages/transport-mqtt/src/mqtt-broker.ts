import {
  type Arrival,
  type Broker,
  type BrokerEvents,
  type Confirm,
  type Destination,
  type Envelope,
  type ParleyError,
  type Runtime,
  TransportError,
  toParleyError,
  type Unsubscribe,
} from "@parley/core/transport";
import type { IPublishPacket } from "mqtt";
import { arrivals, reading } from "./arrivals.ts";
import { type Claim, claim } from "./claim.ts";
import { eachEvent } from "./event-lines.ts";
import { callFilter, checkLevel, checkUserFilter, ownerOf, replicasFilter } from "./layout.ts";
import type { Link } from "./link.ts";
import type { MqttOptions, Qos } from "./options.ts";
import { EVENT_TYPE, EVENTS_TYPE } from "./payload.ts";
import { batch, publications } from "./publications.ts";
import { NO_MATCHING_SUBSCRIBERS } from "./reason.ts";
import type { Routes, Taker } from "./routes.ts";
import { Watches } from "./watches.ts";

/** All of a packet but its payload, for calls: topic, response topic, correlation data. */
const MAX_HEADER_BYTES = 2_048;

/** A broker that takes only short packets gets one event in each. */
const MIN_BATCH_PACKET_BYTES = 64 * 1024;

/** What stands beside an event of several. */
const ONE_EVENT: NonNullable<IPublishPacket["properties"]> = { contentType: EVENT_TYPE };

/** What {@link mqttBroker} takes. */
export interface MqttBrokerInit {
  readonly link: Link;
  readonly routes: Routes;
  readonly events: BrokerEvents;
  readonly inbox: string;
  /** Name of this process in topics. */
  readonly sender: string;
  readonly runtime: Runtime;
  readonly options: MqttOptions;
  /** Whether the broker says that nobody has subscribed, and whether it shares subscriptions. */
  readonly traits: Promise<readonly [noResponders: boolean, replicas: boolean]>;
}

/**
 * A link as core sees it; its inbox is subscribed when it resolves.
 * @throws ParleyError as the broker refuses the inbox
 */
export async function mqttBroker(init: MqttBrokerInit): Promise<Broker> {
  const { link, routes, events, inbox, sender, runtime, options, traits } = init;
  const { enforcedSenders = false, subscribeQos = 1, group, acceptWithinMs = 2_000 } = options;
  const { server } = link;
  const read = arrivals({ runtime, enforcedSenders });
  const write = publications({ ...options, sender, server, runtime });
  const watches = new Watches(link, routes);
  const claims = new Map<string, Claim>();

  // At the same time: each costs a round trip.
  const take: Taker = (topic, payload, packet) => {
    const arrival = reading(
      () => read.inbox(topic, payload, packet),
      (error) => events.refused(error, read.unread(undefined, topic, payload, packet)),
    );
    if (!arrival) return;
    for (const one of claims.values()) if (one.heard(arrival.message)) return;
    events.inbox(arrival);
  };
  const listening = routes.add(link, `${inbox}/#`, { qos: 1, retained: false }, (topic, payload, packet) => {
    if (packet.properties?.contentType !== EVENTS_TYPE) return take(topic, payload, packet);
    const problem = eachEvent(payload, (event) => take(topic, event, { ...packet, properties: ONE_EVENT }));
    if (problem) events.refused(problem);
  });
  const [[noResponders, replicas]] = await Promise.all([traits, listening]);

  function publish(to: Destination, message: Envelope, confirm?: Confirm): void {
    try {
      const publication = write(to, message, confirm !== undefined);
      if (!publication) return confirm?.();
      const { topic, payload, options } = publication;
      if (!confirm) return link.publish(topic, payload, options);
      link.publish(topic, payload, options, (error, reason) => confirm(error ?? nobody(to, reason)));
    } catch (thrown) {
      confirm?.(toParleyError(thrown));
    }
  }

  function publishBatch(name: string, texts: readonly string[]): void {
    // A peer wrote it.
    if (ownerOf(name) === undefined) return;
    const { topic, payload, options } = batch(name, sender, texts);
    link.publish(topic, payload, options);
  }

  async function subscribeAgent(agent: string, on: (arrival: Arrival) => void): Promise<Unsubscribe> {
    const unshared = replicas
      ? undefined
      : claim({
          agent,
          inbox,
          runtime,
          timeoutMs: acceptWithinMs,
          closed: link.closed,
          askAll: (message) => publish({ to: "replicas", name: agent }, message),
          answer: (name, message) => publish({ to: "inbox", name }, message),
        });
    if (unshared) claims.set(agent, unshared);
    const taker: Taker = (topic, payload, packet) => {
      const arrival = reading(
        () => read.agent(agent, topic, payload, packet),
        (error) => events.refused(error, read.unread(agent, topic, payload, packet)),
      );
      if (arrival && !unshared?.heard(arrival.message)) on(arrival);
    };
    const qos = { qos: 1, retained: false } as const;
    const shared = `$share/${checkLevel(group ?? groupOf(agent), "group")}/${callFilter(agent)}`;
    const filters = [replicasFilter(agent), replicas ? shared : callFilter(agent)];
    const all = await Promise.allSettled(filters.map((filter) => routes.add(link, filter, qos, taker)));
    const leave: Unsubscribe = async () => {
      claims.delete(agent);
      await Promise.all(all.map((one) => (one.status === "fulfilled" ? one.value() : undefined)));
    };
    try {
      for (const one of all) if (one.status === "rejected") throw one.reason;
      await unshared?.settled();
    } catch (error) {
      await leave();
      throw error;
    }
    return leave;
  }

  const refusedTopic: BrokerEvents["refused"] = (error) => events.refused(error);

  function subscribeTopic(filter: string, on: (arrival: Arrival) => void): Promise<Unsubscribe> {
    const wanted: Qos = typeof subscribeQos === "function" ? subscribeQos(filter) : subscribeQos;
    return routes.add(link, checkUserFilter(filter), { qos: wanted, retained: true }, (topic, payload, packet) => {
      const arrival = reading(() => read.topic(topic, payload, packet), refusedTopic);
      if (arrival) on(arrival);
    });
  }

  return {
    inbox,
    promises: {
      replicas,
      noResponders,
      senderIdentity: enforcedSenders,
      presence: true,
      lossDetection: "sequence",
      overflow: "drop-new",
      expiryResolutionMs: server.version === 5 ? 1_000 : 0,
    },
    maxMessageBytes: Number.isFinite(server.maximumPacketBytes)
      ? Math.max(1, server.maximumPacketBytes - MAX_HEADER_BYTES)
      : undefined,
    publish,
    ...(server.version === 5 && server.maximumPacketBytes >= MIN_BATCH_PACKET_BYTES ? { publishBatch } : {}),
    subscribe: async (at, on) => ("agent" in at ? subscribeAgent(at.agent, on) : subscribeTopic(at.filter, on)),
    watch: (name, gone) => watches.add(name, gone),
    writable: () => link.writable(),
    close: () => link.close(),
  };
}

/** Replicas of one agent find each other by it. */
function groupOf(agent: string): string {
  return `parley.${agent.replaceAll(/[^\w.-]/g, "-")}`.slice(0, 128);
}

function nobody(to: Destination, reason: number): ParleyError | undefined {
  if (reason !== NO_MATCHING_SUBSCRIBERS || to.to === "topic") return undefined;
  const who = to.to === "inbox" ? "the process that is to have the message has gone" : `nobody serves ${to.name}`;
  return new TransportError("unavailable", who, { outcome: "not-sent", details: { reason } });
}
