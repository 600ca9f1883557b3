import { type Login, type ParleyError, type Runtime, shortId, withCertificate } from "@parley/core/transport";
import type { IClientOptions, IPublishPacket } from "mqtt";
import { invalid } from "./invalid.ts";
import type { MqttLinkOptions, MqttTls, Qos } from "./options.ts";
import type { Session } from "./session.ts";

/** Time for what is under way to be confirmed, and then for the broker to hang up, once a link is being closed. */
export const CLOSE_TIMEOUT_MS: number = 400;

/** What {@link openLink} takes. */
export interface LinkInit {
  readonly url: URL;
  readonly version: 4 | 5;
  readonly clientId: string;
  /** Whether the user chose it, so that another process may have the same. */
  readonly clientIdGiven: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: MqttTls | undefined;
  readonly keepaliveSeconds: number;
  readonly will: NonNullable<IClientOptions["will"]> | undefined;
  /** Absent: there is none beyond the link. */
  readonly session: Session | undefined;
  /** Messages at QoS 1 and 2 that the broker may send before they are answered; MQTT 3.1.1 cannot say it. */
  readonly receiveMaximum: number | undefined;
  readonly maxMessageBytes: number;
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
  /** Time for the connection to be accepted, ms. */
  readonly connectTimeoutMs: number;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  /** Takes each message that arrives, from the moment the broker accepts; must not throw. */
  arrived(topic: string, payload: Buffer, packet: IPublishPacket): void;
  /** Told once, when the link is lost; not after `close`. */
  down(error: ParleyError): void;
}

/** What a broker said of itself when it accepted the link. */
export interface Server {
  readonly version: 4 | 5;
  /** Whether it knows the session of an earlier link. */
  readonly sessionPresent: boolean;
  readonly maximumQoS: Qos;
  readonly retains: boolean;
  readonly shares: boolean;
  readonly wildcards: boolean;
  readonly subscriptionIds: boolean;
  readonly maximumPacketBytes: number;
}

/** What of a {@link LinkInit} is the same for all links that are opened with the same options. */
export type LinkSettings = Pick<
  LinkInit,
  "url" | "version" | "clientId" | "clientIdGiven" | "keepaliveSeconds" | "maxQueued" | "maxQueuedBytes" | "runtime"
>;

/** What the user's options say. */
export function linkSettings(url: URL, options: MqttLinkOptions, runtime: Runtime): LinkSettings {
  return {
    url,
    version: options.protocolVersion ?? 5,
    clientId: options.clientId ?? `parley-${shortId(runtime)}`,
    clientIdGiven: options.clientId !== undefined,
    keepaliveSeconds: options.keepaliveSeconds ?? 10,
    maxQueued: options.maxQueued ?? 4_096,
    maxQueuedBytes: options.maxQueuedBytes ?? 16 * 1024 * 1024,
    runtime,
  };
}

/**
 * What a link shows the broker of who opens it.
 * @throws ParleyError `invalid_argument` for a URL whose user name or password cannot be read
 */
export function identityOf(
  url: URL,
  options: MqttLinkOptions,
  login: Login | undefined,
): Pick<LinkInit, "username" | "password" | "tls"> {
  return {
    username: login?.user ?? options.username ?? decoded(url.username, "user name"),
    password: login?.password ?? options.password ?? decoded(url.password, "password"),
    tls: withCertificate(options.tls, options.credentials),
  };
}

/** @throws ParleyError `invalid_argument`, which does not say the value: it may be a secret */
function decoded(part: string, what: string): string | undefined {
  try {
    return part === "" ? undefined : decodeURIComponent(part);
  } catch {
    throw invalid(
      `the ${what} in the URL has a % that begins no escape: write it as %25, or use the options username and password`,
    );
  }
}
