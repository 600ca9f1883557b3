import { channelLimits, type Transport } from "@parley/core/transport";
import { dial } from "./dial.ts";
import { listen } from "./listen.ts";
import { manifestWith } from "./manifest.ts";
import type { WsOptions } from "./options.ts";

/** WebSocket, `ws:` and `wss:`: all kinds of call over one connection, in both directions. */
export function ws(options: WsOptions = {}): Transport {
  return {
    name: "ws",
    schemes: ["ws", "wss"],
    manifest: manifestWith(options.limits ?? channelLimits),
    connect: (url, connectOptions = {}) => dial(url, options, connectOptions),
    listen: (url, handler, listenOptions = {}) => listen(url, handler, options, listenOptions),
  };
}
