import { Endpoint, type HttpHandler, handlerOf } from "@parley/core/http";
import type { Handler, ListenOptions } from "@parley/core/transport";
import type { SseHandlerOptions } from "./options.ts";
import { sseWire } from "./server/sse-wire.ts";

/** Answers requests that some other server has taken. Made by {@link createSseHandler}. */
export interface SseHandler extends HttpHandler {}

/**
 * Makes a handler of HTTP requests for the server you have, be it of Express, Fastify, Hono or `node:http` itself.
 *
 * ```ts
 * const parley = createSseHandler(agent.handle);
 * app.use("/agents", parley.handle); // Express, before express.json()
 * ```
 */
export function createSseHandler(handler: Handler, options: SseHandlerOptions & ListenOptions = {}): SseHandler {
  return handlerOf(new Endpoint(handler, sseWire(options, options.runtime), options, options));
}
