import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { ChannelCredentials, Client, type ClientOptions, compressionAlgorithms, credentials } from "@grpc/grpc-js";
import { tlsError } from "@parley/core/node";
import { ParleyError, withCertificate } from "@parley/core/transport";
import { type DialOptions, MAX_SESSION_MEMORY_MB } from "../options.ts";

/**
 * gRPC's own client for an address, not connected yet.
 * @param connected told of each TCP connection that it makes, before anything is sent over it
 * @throws ParleyError `invalid_argument` for what cannot be dialled at all
 */
export function clientOf(url: URL, options: DialOptions, connected: (socket: Socket) => void): Client {
  const { keepaliveMs, maxSessionMemoryMb = MAX_SESSION_MEMORY_MB, maxReceiveBytes, compression, tls } = options;
  const settings: ClientOptions = {
    // A connection is one connection: not shared with others to the same place, and not dialled through what the environment says.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    // Whether a call is made again is for the caller to decide.
    "grpc.enable_retries": 0,
    // gRPC's own second to two minutes would refuse calls long after a peer is back.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2_000,
    "grpc.max_receive_message_length": maxReceiveBytes,
    "grpc.max_send_message_length": -1,
    "grpc-node.max_session_memory": maxSessionMemoryMb,
    ...(compression === undefined ? {} : { "grpc.default_compression_algorithm": compressionAlgorithms[compression] }),
    ...(keepaliveMs === undefined
      ? {}
      : { "grpc.keepalive_time_ms": keepaliveMs, "grpc.keepalive_timeout_ms": keepaliveMs }),
    ...(tls?.servername === undefined ? {} : { "grpc.ssl_target_name_override": tls.servername }),
  };
  try {
    return new Client(targetOf(url), watched(url, options, connected), settings);
  } catch (cause) {
    throw undiallable(url, cause);
  }
}

/** What keeps an address from being dialled at all. */
export function undiallable({ host }: URL, cause: unknown): ParleyError {
  const tls = cause instanceof Error ? tlsError(host, cause) : undefined;
  if (tls) return tls;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ParleyError("invalid_argument", `${host} cannot be dialled so: ${why}`, { outcome: "not-sent", cause });
}

/** @throws ParleyError `invalid_argument`: gRPC addresses have a host and a port, and nothing more */
export function requireBare({ host, pathname, protocol, username, password, search }: URL): void {
  const problem =
    protocol !== "grpc:" && protocol !== "grpcs:"
      ? `an address of gRPC begins with grpc:, or grpcs: for TLS, and not with ${protocol}`
      : username !== "" || password !== ""
        ? "credentials do not belong into a URL; give them in the option credentials"
        : pathname.length > 1 || search !== ""
          ? "a gRPC address has no path and no query; leave them out"
          : undefined;
  if (problem) throw new ParleyError("invalid_argument", `${host}: ${problem}`, { outcome: "not-sent" });
}

/** The address in gRPC's own naming; names are resolved, addresses are not. */
function targetOf({ hostname, port, protocol }: URL): string {
  const at = `${hostname}:${port || (protocol === "grpcs:" ? 443 : 80)}`;
  if (hostname.startsWith("[")) return `ipv6:${at}`;
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? `ipv4:${at}` : `dns:${at}`;
}

/** Credentials whose every connection is told of; the one place where gRPC hands out its sockets. */
function watched(url: URL, options: DialOptions, connected: (socket: Socket) => void): ChannelCredentials {
  const given = credentialsOf(url, options);
  const create = given._createSecureConnector.bind(given);
  given._createSecureConnector = (...how) => {
    const connector = create(...how);
    return {
      connect(socket) {
        connected(socket);
        // A certificate may have been replaced since the last connection.
        const anew = options.credentials?.certificate && credentialsOf(url, options)._createSecureConnector(...how);
        return (anew ?? connector).connect(socket);
      },
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  };
  return given;
}

function credentialsOf({ protocol }: URL, { tls, credentials: own }: DialOptions): ChannelCredentials {
  if (protocol !== "grpcs:") return credentials.createInsecure();
  const {
    rejectUnauthorized = true,
    requestCert: _listening,
    servername: _target,
    ...context
  } = withCertificate(tls, own) ?? {};
  return ChannelCredentials.createFromSecureContext(createSecureContext(context), { rejectUnauthorized });
}
