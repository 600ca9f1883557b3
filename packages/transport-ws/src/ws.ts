import { channelLimits, checkHeaders, knownOptions, type OptionNames, type Transport } from "@parley/core/transport";
import { CLOSE_TIMEOUT_MS, callOptionNames } from "./call-options.ts";
import { dial, type Open } from "./dial.ts";
import { listen } from "./listen.ts";
import { manifestWith } from "./manifest.ts";
import { openSocket } from "./open-socket.ts";
import type { WsOptions } from "./options.ts";
import { socketChannel } from "./socket-channel.ts";
import { maxFrameBytes, subprotocols } from "./subprotocols.ts";

/**
 * WebSocket, `ws:` and `wss:`: all kinds of call over one connection, in both directions.
 * @throws ParleyError `invalid_argument` for an option that there is not
 */
export function ws(options: WsOptions = {}): Transport {
  knownOptions("ws()", options, optionNames);
  return {
    name: "ws",
    schemes: ["ws", "wss"],
    manifest: manifestWith(options.limits ?? channelLimits),
    connect: async (url, connectOptions = {}) => dial(url, options, connectOptions, opener(url, options)),
    listen: (url, handler, listenOptions = {}) => listen(url, handler, options, listenOptions),
  };
}

const optionNames: OptionNames<WsOptions> = {
  ...callOptionNames,
  credentials: true,
  headers: true,
  tls: true,
  server: true,
  allowedOrigins: true,
  allowedHosts: true,
  maxConnections: true,
  exposed: true,
};

/** @throws ParleyError `invalid_argument` when credentials and headers both say who calls */
function opener(url: URL, { credentials, headers, tls, limits = channelLimits }: WsOptions): Open {
  checkHeaders(headers, credentials);
  return (opening, adopt) => {
    const settings = {
      ...opening,
      credentials,
      headers,
      tls,
      protocols: subprotocols,
      maxMessageBytes: maxFrameBytes(limits.maxMessageBytes),
      closeTimeoutMs: CLOSE_TIMEOUT_MS,
      compression: false,
    };
    return openSocket(url, settings, (webSocket, socket) => adopt(socketChannel(webSocket, socket)));
  };
}
