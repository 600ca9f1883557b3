import {
  checkFetchHeaders,
  dialHttp,
  fetchSocket,
  type WebCallOptions,
  webCallOptionNames,
} from "@parley/core/http/client";
import { type DialTransport, knownOptions, type OptionNames, refuseInBrowser } from "@parley/core/transport";
import { httpClientWire } from "../client/http-client-wire.ts";
import { httpLimits } from "../limits.ts";
import { manifestWith } from "../manifest.ts";

/** Options of {@link http} in a browser. */
export interface HttpOptions extends WebCallOptions {
  /**
   * Sends the small single messages of one turn as one request, to a peer that offered it. One that is cut costs all of them their answers.
   * @default false
   */
  readonly batch?: boolean | undefined;
}

/**
 * HTTP by `fetch`, `http:` and `https:`. It dials; whom it dials has to admit the page's origin (its option `allowedOrigins`) unless the page
 * is its own.
 * @throws ParleyError `invalid_argument` for options and headers that are of no effect in a browser
 */
export function http(options: HttpOptions = {}): DialTransport {
  const { headers, limits = httpLimits, batch = false } = options;
  refuseInBrowser("http", options);
  knownOptions("http()", options, optionNames);
  checkFetchHeaders(headers);
  return {
    name: "http",
    schemes: ["http", "https"],
    manifest: manifestWith(limits, "emulated"),
    connect: (url, connectOptions = {}) =>
      dialHttp(url, options, connectOptions, {
        open: () => fetchSocket(url.origin),
        wire: (connection) => httpClientWire(connection, { batch }),
      }),
  };
}

const optionNames: OptionNames<HttpOptions> = { ...webCallOptionNames, batch: true };
