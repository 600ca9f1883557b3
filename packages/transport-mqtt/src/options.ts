import type { SecureContextOptions } from "node:tls";
import type { Credentials, Limits, OptionNames } from "@parley/core/transport";

/** Certificates for `mqtts`, as `node:tls` has them. */
export interface MqttTls
  extends Pick<SecureContextOptions, "ca" | "cert" | "key" | "passphrase" | "pfx" | "minVersion"> {
  /** Whether a broker whose certificate is not verified is turned away. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
  /** The name that the broker's certificate must bear. @default the host of the URL */
  readonly servername?: string | undefined;
}

/** How surely the broker and one client agree that a message was handed over (MQTT 5, 4.3). */
export type Qos = 0 | 1 | 2;

/** A retained topic that tells whether this process is there. */
export interface MqttPresence {
  /** A topic of the user's own, `agents/summarizer/presence`. */
  readonly topic: string;
  /** Any JSON value, or bytes; retained while connected. @default "online" */
  readonly online?: unknown;
  /** Retained after an orderly close, and by the broker when the process vanishes. @default "offline" */
  readonly offline?: unknown;
}

/** What every link to a broker takes, of transport and client. */
export interface MqttLinkOptions {
  /** 5, 4 (which is MQTT 3.1.1), or absent: 5, and 3.1.1 with a broker that refuses 5. */
  readonly protocolVersion?: 4 | 5 | undefined;
  /**
   * What proves who this is, shown with each CONNECT, at reconnecting anew: a user and a password as they are, a token or key as the password of
   * `username`. Goes before what the URL and the option `password` have.
   */
  readonly credentials?: Credentials | undefined;
  /** Goes before what the URL has. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: MqttTls | undefined;
  /** Must be unique at the broker: a second connection with it ends the first. @default a new one */
  readonly clientId?: string | undefined;
  /** Longest silence, whole seconds; a broker silent for half as long again is given up. @default 10 */
  readonly keepaliveSeconds?: number | undefined;
  /** Confirmed messages that wait for their turn; more are refused with `resource_exhausted`. @default 4_096 */
  readonly maxQueued?: number | undefined;
  /** Bytes that may wait for a broker that does not read; what is sent beyond is refused. @default 16 MiB */
  readonly maxQueuedBytes?: number | undefined;
}

/** The names of {@link MqttLinkOptions}. */
export const linkOptionNames: OptionNames<MqttLinkOptions> = {
  protocolVersion: true,
  credentials: true,
  username: true,
  password: true,
  tls: true,
  clientId: true,
  keepaliveSeconds: true,
  maxQueued: true,
  maxQueuedBytes: true,
};

/** Options of {@link mqtt}. The user name, or else the client id, is also the level of topics that names the sender. */
export interface MqttOptions extends MqttLinkOptions {
  /** Listening: who shares the calls to an agent. A name nobody can guess keeps strangers out of the group. @default made of the agent's name */
  readonly group?: string | undefined;
  /** QoS of publications, by topic. 0 is not confirmed. @default 1 */
  readonly publishQos?: Qos | ((topic: string) => Qos) | undefined;
  /** Which publications the broker keeps for those who subscribe later. @default none */
  readonly retain?: ((topic: string) => boolean) | undefined;
  /** QoS of subscriptions, by filter. @default 1 */
  readonly subscribeQos?: Qos | ((filter: string) => Qos) | undefined;
  /** Tells by a retained topic whether this process is there. Takes a connection of its own, which bears the will. */
  readonly presence?: MqttPresence | undefined;
  /**
   * The broker lets a client use only its own name as the sender in topics (an ACL such as `pattern write agents/+/call/%u/+`), so that the
   * name can be trusted: it becomes `context.peer.principal`. Never true of a broker without such rules. @default false
   */
  readonly enforcedSenders?: boolean | undefined;
  /** Time in which somebody must take a call; then it fails with `unavailable`. Only a broker of MQTT 5 says at once that nobody is there. @default 2_000 */
  readonly acceptWithinMs?: number | undefined;
  /** How often both sides of a stream, or of a request that takes its time, say that they still have it, ms. @default 5_000 */
  readonly leaseMs?: number | undefined;
  /** What this side bears. @default 4 MiB a message, 16,384 calls, 256 items and 256 KiB a stream */
  readonly limits?: Limits | undefined;
}
