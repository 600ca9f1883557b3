import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { opensslReason, tlsError } from "@parley/core/node";
import { AuthenticationError, type ParleyError, TransportError } from "@parley/core/transport";
import type { MqttTls } from "./options.ts";

/** Begins to open the socket of a link; the caller listens for its events. Nagle's algorithm is off: it would cost 40 ms a confirmed message. */
export function openSocket(url: URL, tls: MqttTls = {}): Socket {
  const secure = url.protocol === "mqtts:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (secure ? 8883 : 1883) : Number(url.port);
  const socket = secure ? connectTls({ host, port, ...named(host), ...tls }) : connectTcp({ host, port });
  socket.setNoDelay(true);
  return socket;
}

/** Server name indication has names only, no addresses (RFC 6066, 3). */
function named(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

/** The error for a broker that hung up before it had accepted the link. */
export function turnedAway(url: URL): ParleyError {
  const message = `${url.host} closed the connection before accepting it; ${wayOut(url)}`;
  return new TransportError("unavailable", message, { outcome: "not-sent" });
}

/** What to look at first. */
function wayOut({ protocol }: URL): string {
  return protocol === "mqtts:"
    ? "is it the port for TLS? The one without wants mqtt:"
    : "is it the port without TLS? The one with TLS wants mqtts:";
}

/** The error for a socket that failed before the broker had accepted the link. */
export function socketError(url: URL, error: Error & { readonly code?: string }): ParleyError {
  const { host, hostname } = url;
  const options = { outcome: "not-sent", cause: error } as const;
  const { code = "" } = error;
  if (code === "ECONNREFUSED")
    return new TransportError("unavailable", `nothing listens at ${host} (connection refused)`, options);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return new TransportError("unavailable", `the host name ${hostname} is not known`, options);
  // What the broker says of this side's certificate is an alert (RFC 8446, 6.2); what OpenSSL says of the broker's is none.
  if (/_ALERT_.*(?:CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE)/.test(code))
    return new AuthenticationError(
      "unauthenticated",
      `${host} wants a client certificate that it trusts (options tls.cert and tls.key): ${error.message}`,
      options,
    );
  if (/CERT|ALTNAME|SELF_SIGNED|SIGNATURE/.test(code))
    return new TransportError(
      "unavailable",
      `the certificate of ${host} is not trusted: ${error.message} (${code}); say whom to trust with option tls.ca`,
      options,
    );
  const unreadable = code.startsWith("ERR_OSSL_") ? tlsError(host, error) : undefined;
  if (unreadable) return unreadable;
  const advice = /^(?:ECONNRESET|EPROTO|EPIPE)$|^ERR_SSL/.test(code) ? `; ${wayOut(url)}` : "";
  const message = `${host} cannot be reached as an MQTT broker: ${opensslReason(error.message)}${advice}`;
  return new TransportError("unavailable", message, options);
}
