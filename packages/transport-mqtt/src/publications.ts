import { type Destination, type Envelope, encodeMessage, ParleyError, type Runtime } from "@parley/core/transport";
import type { IClientPublishOptions } from "mqtt";
import { callTopic, checkUserTopic, ownerOf, replicasTopic } from "./layout.ts";
import type { Server } from "./link-init.ts";
import type { MqttOptions, Qos } from "./options.ts";
import { EVENT_TYPE, EVENTS_TYPE, JSON_TYPE, writeBinary, writeData } from "./payload.ts";
import { type PlainInbox, readPlainInbox } from "./plain-inbox.ts";

/** One PUBLISH. */
export interface Publication {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly options: IClientPublishOptions;
}

/** What publications are made with. */
export interface PublicationInit extends Pick<MqttOptions, "publishQos" | "retain"> {
  /** Name of this process in topics. */
  readonly sender: string;
  readonly server: Server;
  readonly runtime: Runtime;
}

const AT_MOST_ONCE: IClientPublishOptions = { qos: 0 };
const AT_LEAST_ONCE: IClientPublishOptions = { qos: 1 };
const BATCH: IClientPublishOptions = { qos: 0, properties: { contentType: EVENTS_TYPE } };
/** Largest message expiry interval, seconds (MQTT 5, 3.3.2.3.3). */
const MAX_EXPIRY_SECONDS = 2 ** 32 - 1;

/** Several events for one inbox as one PUBLISH. */
export function batch(inbox: string, sender: string, texts: readonly string[]): Publication {
  return { topic: `${inbox}/${sender}`, payload: texts.join("\n"), options: BATCH };
}

/** Prepares writing: what is to be sent where and how. Nothing for what the receiver could not read. The returned function throws ParleyErrors, `not-sent`. */
export function publications(
  init: PublicationInit,
): (to: Destination, message: Envelope, confirmed: boolean) => Publication | undefined {
  const { sender, server, runtime, publishQos = 1, retain } = init;
  const is5 = server.version === 5;
  const atLeastOnce = server.maximumQoS === 0 ? AT_MOST_ONCE : AT_LEAST_ONCE;
  const qosOf = (confirmed: boolean): IClientPublishOptions => (confirmed ? atLeastOnce : AT_MOST_ONCE);

  return (to, message, confirmed) => {
    switch (to.to) {
      case "agent": {
        const topic = callTopic(to.name, sender, to.type);
        const options = is5 ? { ...qosOf(confirmed), properties: copies(message) } : qosOf(confirmed);
        return { topic, payload: encodeMessage(message), options };
      }
      case "replicas":
        return { topic: replicasTopic(to.name, sender), payload: encodeMessage(message), options: qosOf(confirmed) };
      case "inbox": {
        const plain = readPlainInbox(to.name);
        if (plain) return answer(plain, message, qosOf(confirmed));
        if (ownerOf(to.name) === undefined)
          throw new ParleyError("invalid_argument", "answers are asked for at what is no inbox", {
            outcome: "not-sent",
          });
        return { topic: `${to.name}/${sender}`, payload: encodeMessage(message), options: qosOf(confirmed) };
      }
      case "topic":
        return publication(to.name, message);
    }
  };

  function publication(name: string, message: Envelope): Publication {
    const topic = checkUserTopic(name);
    const leftMs = untilExpiry(message);
    if (leftMs !== undefined && leftMs <= 0)
      throw new ParleyError(
        "deadline_exceeded",
        `what is published to ${topic} expired at ${message.expirytime}; publish it sooner, or with a later expirytime`,
        { outcome: "not-sent" },
      );
    const retained = retain?.(topic) ?? false;
    if (retained && !server.retains)
      throw new ParleyError("failed_precondition", `${topic} is to be retained, and this broker retains nothing`, {
        outcome: "not-sent",
      });
    const wanted = typeof publishQos === "function" ? publishQos(topic) : publishQos;
    const options = { qos: Math.min(wanted, server.maximumQoS) as Qos, retain: retained };
    if (!is5) return { topic, payload: encodeMessage(message), options };
    const { payload, contentType, userProperties } = writeBinary(message);
    const properties = { ...typed(contentType), userProperties, ...expiring(leftMs) };
    return { topic, payload, options: { ...options, properties } };
  }

  function untilExpiry({ expirytime }: Envelope): number | undefined {
    return expirytime === undefined ? undefined : Date.parse(expirytime) - runtime.date();
  }
}

/** What MQTT 5 has a place of its own for, on openers. */
function copies({ id, replyto, timeoutms }: Envelope): NonNullable<IClientPublishOptions["properties"]> {
  return {
    contentType: EVENT_TYPE,
    correlationData: Buffer.from(id, "latin1"),
    ...(replyto === undefined ? {} : { responseTopic: replyto }),
    ...expiring(timeoutms),
  };
}

/** Never 0, which would be over before it began; brokers count in seconds. */
function expiring(ms: number | undefined): { messageExpiryInterval?: number } {
  if (ms === undefined || Number.isNaN(ms)) return {};
  return { messageExpiryInterval: Math.min(MAX_EXPIRY_SECONDS, Math.max(1, Math.ceil(ms / 1_000))) };
}

/** The answer to a program without Parley; it can take a reply or an error, and nothing else. */
function answer(
  { mode, topic, correlationData }: PlainInbox,
  message: Envelope,
  options: IClientPublishOptions,
): Publication | undefined {
  if (message.kind !== "reply" && message.kind !== "error") return undefined;
  const correlated = correlationData ? { correlationData } : {};
  if (mode === "event") {
    const properties = { contentType: EVENT_TYPE, ...correlated };
    return { topic, payload: encodeMessage(message), options: { ...options, properties } };
  }
  const failed = message.kind === "error";
  const { payload, contentType = JSON_TYPE } = writeData(message.data, message.datacontenttype);
  const properties = { contentType, ...correlated, ...(failed ? { userProperties: { kind: "error" } } : {}) };
  return { topic, payload, options: { ...options, properties } };
}

function typed(contentType: string | undefined): { contentType?: string } {
  return contentType === undefined ? {} : { contentType };
}
