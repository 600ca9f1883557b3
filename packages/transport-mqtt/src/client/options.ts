import type {
  EffectOptions,
  Log,
  OperationOptions,
  PolicyOptions,
  ReconnectOptions,
  Runtime,
} from "@parley/core/transport";
import type { MqttLinkOptions, Qos } from "../options.ts";

/** What is published: text and bytes as they are, anything else as JSON. */
export type MqttData = string | Uint8Array | object | number | boolean | null;

/** What MQTT 5 says about a message beside its payload. Where a broker speaks 3.1.1 they are refused, not dropped. */
export interface MqttProperties {
  /** Media type of the payload. @default application/json for JSON, none for text and bytes */
  readonly contentType?: string | undefined;
  /** Names and values of the user's own; a name may come several times. */
  readonly userProperties?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** After so long the broker forgets the message, whole seconds. */
  readonly expirySeconds?: number | undefined;
  /** Where an answer is expected. */
  readonly responseTopic?: string | undefined;
  /** What the answer is to repeat. */
  readonly correlationData?: Uint8Array | undefined;
}

/** What {@link MqttClient.publish} takes beside topic and data. */
export interface MqttPublishOptions extends EffectOptions, MqttProperties {
  /** 0 is not confirmed: its promise resolves when the message is written. @default 1 */
  readonly qos?: Qos | undefined;
  /** Whether the broker keeps the message for those who subscribe later; one without data takes the kept one away. @default false */
  readonly retain?: boolean | undefined;
}

/** What the broker publishes when the client vanishes without a goodbye. */
export interface MqttWill extends MqttProperties {
  readonly topic: string;
  readonly data: MqttData;
  /** @default 0 */
  readonly qos?: Qos | undefined;
  /** @default false */
  readonly retain?: boolean | undefined;
  /** How long the broker waits for the client to come back before it publishes it, whole seconds (MQTT 5). @default 0 */
  readonly delaySeconds?: number | undefined;
}

/** One filter of several. */
export interface MqttFilter {
  readonly filter: string;
  /** @default that of the subscription */
  readonly qos?: Qos | undefined;
}

/** One filter or several, each with a QoS or without. */
export type MqttFilters = string | MqttFilter | readonly (string | MqttFilter)[];

/**
 * What happens with a message for a subscription whose reader is too slow.
 * - `fail`: the subscription ends with `data_loss`, after what it has kept.
 * - `drop-oldest`: it takes the place of the oldest that waits.
 * - `drop-new`: it is dropped.
 */
export type MqttOverflow = "fail" | "drop-oldest" | "drop-new";

/** What {@link MqttClient.subscribe} takes beside filters. `signal` ends the subscription whenever it is aborted; `timeoutMs` is for making it. */
export interface MqttSubscribeOptions extends OperationOptions {
  /** @default 1 */
  readonly qos?: Qos | undefined;
  /** Whether messages are wanted that the broker has kept from before. @default true */
  readonly retained?: boolean | undefined;
  /** Messages that wait for the reader. @default 1_024 */
  readonly maxUnread?: number | undefined;
  /** Bytes of the messages that wait; one alone may have more. @default 16 MiB */
  readonly maxUnreadBytes?: number | undefined;
  /** @default "fail" */
  readonly overflow?: MqttOverflow | undefined;
}

/** Options of {@link MqttClient}. */
export interface MqttClientOptions extends MqttLinkOptions, PolicyOptions {
  /** `mqtt://host:1883` or `mqtts://host:8883`; user name and password may stand in it. */
  readonly url: string | URL;
  /** Whether the broker forgets what it has kept of an earlier session of this client id. `false` needs a `clientId`. @default true */
  readonly cleanStart?: boolean | undefined;
  /** How long the broker keeps subscriptions, and messages for them, while the client is away, seconds. @default 0: not at all */
  readonly sessionExpirySeconds?: number | undefined;
  /** What the broker publishes when the client vanishes. */
  readonly will?: MqttWill | undefined;
  /** Messages at QoS 1 and 2 that the broker may send before they are confirmed (MQTT 5). @default 65_535 */
  readonly receiveMaximum?: number | undefined;
  /** Longest message that is received; a longer one costs the connection. @default 4 MiB */
  readonly maxMessageBytes?: number | undefined;
  /** Time for a connection to be accepted, and on reconnecting for its subscriptions to be back. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Time for an operation that names none. @default 10_000 */
  readonly timeoutMs?: number | undefined;
  /** How the client comes back after a cut; `false`: a cut ends it. */
  readonly reconnect?: ReconnectOptions | false | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What became of a connection attempt. */
export interface MqttConnected {
  /** Whether the broker knew the session: subscriptions and messages of before are still there. */
  readonly sessionPresent: boolean;
  /** 5, or 4, which is MQTT 3.1.1. */
  readonly protocolVersion: 4 | 5;
}

/** What became of a publication. */
export interface MqttPublished {
  /** Whether the broker has said that nobody had subscribed; not all say it, and none at QoS 0 or with MQTT 3.1.1. */
  readonly noSubscribers: boolean;
}

/** What the broker has granted for a filter. */
export interface MqttGrant {
  readonly filter: string;
  /** The one asked for, or a lower one. */
  readonly qos: Qos;
}

/** `details` of errors that a broker has answered with a reason code. */
export interface MqttErrorDetails {
  /** MQTT 5's (2.4); return codes of 3.1.1 are given as the reason code that says the same. */
  readonly reason: number;
  /** Of a subscription to several filters: what was answered to each; below 0x80 it is the QoS granted, and taken back. */
  readonly filters?: readonly { readonly filter: string; readonly reason: number }[];
}
