import {
  channelLimits,
  knownOptions,
  type OptionNames,
  requireCredentials,
  systemRuntime,
} from "@parley/core/transport";
import { invalid } from "../invalid.ts";
import { identityOf, type LinkInit, linkSettings } from "../link-init.ts";
import { linkOptionNames } from "../options.ts";
import { Session } from "../session.ts";
import { checkText } from "../topic.ts";
import type { MqttClientOptions } from "./options.ts";
import { checkSeconds, clientWill } from "./publication.ts";

/** What is the same for all links of a client. */
export type ClientSettings = Omit<LinkInit, "username" | "password" | "tls" | "signal" | "arrived" | "down">;

/** @throws ParleyError `invalid_argument` for options that make no sense; it never says a password */
export function clientSettings(options: MqttClientOptions): ClientSettings {
  knownOptions("MqttClient", options, clientOptions);
  const {
    cleanStart = true,
    sessionExpirySeconds = 0,
    will,
    receiveMaximum,
    maxMessageBytes,
    connectTimeoutMs,
    runtime = systemRuntime,
  } = options;
  const url = urlOf(options.url);
  requireCredentials(options.credentials);
  const version: unknown = options.protocolVersion ?? 5; // Callers without types give anything.
  if (version !== 5 && version !== 4)
    throw invalid(`protocolVersion is ${String(version)}, and must be 5, or 4, which is MQTT 3.1.1`);
  if (checkText(options.clientId ?? "a", "client id") === "")
    throw invalid("clientId is empty; leave it out for one that is made up");
  checkText(identityOf(url, options, undefined).username ?? "", "user name");
  if (!cleanStart && options.clientId === undefined)
    throw invalid("cleanStart: false needs a clientId, by which the broker finds the session");
  if (
    receiveMaximum !== undefined &&
    !(Number.isInteger(receiveMaximum) && receiveMaximum > 0 && receiveMaximum < 65_536)
  )
    throw invalid(`receiveMaximum is ${String(receiveMaximum)}, and must be a whole number from 1 to 65535`);
  const expirySeconds = checkSeconds(sessionExpirySeconds, "sessionExpirySeconds");
  return {
    ...linkSettings(url, options, runtime),
    will: will && clientWill(will),
    session: new Session({ cleanStart, expirySeconds }),
    receiveMaximum,
    maxMessageBytes: maxMessageBytes ?? channelLimits.maxMessageBytes,
    connectTimeoutMs: connectTimeoutMs ?? 10_000,
  };
}

const clientOptions: OptionNames<MqttClientOptions> = {
  ...linkOptionNames,
  url: true,
  cleanStart: true,
  sessionExpirySeconds: true,
  will: true,
  receiveMaximum: true,
  maxMessageBytes: true,
  connectTimeoutMs: true,
  timeoutMs: true,
  reconnect: true,
  retry: true,
  use: true,
  log: true,
  runtime: true,
};

function urlOf(given: string | URL): URL {
  // The text may hold a password: it is not repeated.
  if (!URL.canParse(String(given))) throw invalid("the url cannot be read; it is to be like mqtt://host:1883");
  const url = new URL(given);
  if (url.protocol !== "mqtt:" && url.protocol !== "mqtts:")
    throw invalid(`the url begins with ${url.protocol}, and must begin with mqtt: or mqtts:`);
  if (url.pathname.length > 1 || url.search !== "")
    throw invalid(
      `the url of a broker has no path and no query, and this one has ${url.pathname}; topics are for publish and subscribe`,
    );
  return url;
}
