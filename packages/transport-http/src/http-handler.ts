import { Endpoint, type HttpHandler, handlerOf } from "@parley/core/http";
import type { Handler, ListenOptions } from "@parley/core/transport";
import type { HttpHandlerOptions } from "./options.ts";
import { httpWire } from "./server/http-wire.ts";

export type { HttpHandler };

/**
 * Makes a handler of HTTP requests for the server you have, be it of Express, Fastify, Hono or `node:http` itself.
 *
 * ```ts
 * const parley = createHttpHandler(agent);
 * app.use("/agents", parley.handle); // Express, before express.json()
 * ```
 */
export function createHttpHandler(handler: Handler, options: HttpHandlerOptions & ListenOptions = {}): HttpHandler {
  return handlerOf(new Endpoint(handler, httpWire, options, options));
}
