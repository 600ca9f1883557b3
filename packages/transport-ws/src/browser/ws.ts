import {
  type Credentials,
  channelLimits,
  type DialTransport,
  knownOptions,
  type OptionNames,
  refuseInBrowser,
} from "@parley/core/transport";
import { callOptionNames, type WsCallOptions } from "../call-options.ts";
import { dial } from "../dial.ts";
import { manifestWith } from "../manifest.ts";
import { openWebSocket } from "./open-web-socket.ts";
import { webSocketChannel } from "./web-socket-channel.ts";

/** Options of {@link ws} in a browser. */
export interface WsOptions extends WsCallOptions {
  /** What proves who calls, shown anew at each dial: `bearer`, `oauth2`, `basic`, or `apiKey` without a header of its own. */
  readonly credentials?: Credentials | undefined;
}

/**
 * The browser's WebSocket, `ws:` and `wss:`: all kinds of call over one connection, in both directions. It dials; whom it dials has to admit
 * the page's origin (its option `allowedOrigins`).
 * @throws ParleyError `invalid_argument` for options that are of no effect in a browser
 */
export function ws(options: WsOptions = {}): DialTransport {
  refuseInBrowser("ws", options, {
    headers: "a page sets none on a WebSocket; say who calls by the option credentials",
  });
  knownOptions("ws()", options, optionNames);
  return {
    name: "ws",
    schemes: ["ws", "wss"],
    manifest: manifestWith(options.limits ?? channelLimits),
    connect: (url, connectOptions = {}) =>
      dial(url, options, connectOptions, (opening, adopt) =>
        openWebSocket(url, opening, (webSocket) => adopt(webSocketChannel(webSocket, opening.runtime))),
      ),
  };
}

const optionNames: OptionNames<WsOptions> = { ...callOptionNames, credentials: true };
