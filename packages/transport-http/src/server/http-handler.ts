import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type CloseOptions,
  type ConnectionStats,
  type Handler,
  type ListenOptions,
  ParleyError,
  systemRuntime,
} from "@parley/core/transport";
import type { HttpHandlerOptions } from "../options.ts";
import { Endpoint } from "./endpoint.ts";
import { refuseExchange } from "./exchange.ts";
import { refusalOf } from "./refusal.ts";

/** Answers requests that some other server has taken. Made by {@link createHttpHandler}. */
export interface HttpHandler extends AsyncDisposable {
  /**
   * Answers a request, whose `url` is the target beneath the path where Parley is mounted (Express and Connect cut it so). The body must
   * not have been read. Never throws.
   */
  handle(request: IncomingMessage, response: ServerResponse): void;
  stats(): ConnectionStats;
  /** Refuses new calls, lets those under way end within the grace. Idempotent; resolves when no call is left. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Makes a handler of HTTP requests for the server you have, be it of Express, Fastify, Hono or `node:http` itself.
 *
 * ```ts
 * const parley = createHttpHandler(agent);
 * app.use("/agents", parley.handle); // Express, before express.json()
 * ```
 */
export function createHttpHandler(handler: Handler, options: HttpHandlerOptions & ListenOptions = {}): HttpHandler {
  const { runtime = systemRuntime, log, ...rest } = options;
  const endpoint = new Endpoint(handler, rest, runtime, log);
  return {
    handle(request, response) {
      if (request.readableEnded || request.readableDidRead)
        return refuseExchange(endpoint, { request, response }, refusalOf(bodyTaken()));
      endpoint.serve(request, response, request.url ?? "/");
    },
    stats: () => endpoint.stats(),
    close: (closeOptions) => endpoint.close(closeOptions),
    [Symbol.asyncDispose]: () => endpoint.close(),
  };
}

function bodyTaken(): ParleyError {
  return new ParleyError(
    "internal",
    "the body of the request was read before it got to Parley: mount it before whatever parses bodies, such as express.json()",
  );
}
