import { Endpoint, listenHttp, socketOptions, webOptionNames } from "@parley/core/http";
import { dialHttp } from "@parley/core/http/client";
import { knownOptions, type OptionNames, type Transport, withCertificate } from "@parley/core/transport";
import { httpClientWire } from "./client/http-client-wire.ts";
import { openSocket } from "./client/open-socket.ts";
import { Upload } from "./client/upload.ts";
import { httpLimits } from "./limits.ts";
import { manifestWith } from "./manifest.ts";
import type { HttpOptions } from "./options.ts";
import { httpWire } from "./server/http-wire.ts";

/**
 * HTTP/1.1, `http:` and `https:`: every call is a request of its own, open to any HTTP client.
 * @throws ParleyError `invalid_argument` for an option that there is not
 */
export function http(options: HttpOptions = {}): Transport {
  knownOptions("http()", options, optionNames);
  return {
    name: "http",
    schemes: ["http", "https"],
    manifest: manifestWith(options.limits ?? httpLimits, "native"),
    connect: (url, connectOptions = {}) =>
      dialHttp(url, options, connectOptions, {
        open: (connectTimeoutMs) =>
          openSocket(url.origin, socketOptions(withCertificate(options.tls, options.credentials), connectTimeoutMs)),
        wire: (connection) =>
          httpClientWire(connection, { batch: options.batch ?? false, upload: (init) => new Upload(init) }),
      }),
    listen: (url, handler, listenOptions) =>
      listenHttp(url, new Endpoint(handler, httpWire, options, listenOptions), options, {
        secure: url.protocol === "https:",
      }),
  };
}

const optionNames: OptionNames<HttpOptions> = { ...webOptionNames, batch: true };
