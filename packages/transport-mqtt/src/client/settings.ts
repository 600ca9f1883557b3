import { channelLimits, type Runtime } from "@parley/core/transport";
import { invalid } from "../invalid.ts";
import { identityOf, type LinkInit, linkSettings } from "../link-init.ts";
import { Session } from "../session.ts";
import { checkText } from "../topic.ts";
import type { MqttClientOptions } from "./options.ts";
import { checkSeconds, clientWill } from "./publication.ts";

/** What is the same for all links of a client. */
export type ClientSettings = Omit<LinkInit, "username" | "password" | "tls" | "signal" | "arrived" | "down">;

/** @throws ParleyError `invalid_argument` for options that make no sense; it never says a password */
export function clientSettings(options: MqttClientOptions, runtime: Runtime): ClientSettings {
  const {
    cleanStart = true,
    sessionExpirySeconds = 0,
    will,
    receiveMaximum,
    maxMessageBytes,
    connectTimeoutMs,
  } = options;
  const url = urlOf(options.url);
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

function urlOf(given: string | URL): URL {
  // The text may hold a password: it is not repeated.
  if (!URL.canParse(String(given))) throw invalid("the url cannot be read; it is to be like mqtt://host:1883");
  const url = new URL(given);
  if (url.protocol === "mqtt:" || url.protocol === "mqtts:") return url;
  throw invalid(`the url begins with ${url.protocol}, and must begin with mqtt: or mqtts:`);
}
