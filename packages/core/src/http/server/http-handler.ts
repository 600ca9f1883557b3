import type { IncomingMessage, ServerResponse } from "node:http";
import { type CloseOptions, type ConnectionStats, ParleyError } from "../../transport/index.ts";
import type { Endpoint } from "./endpoint.ts";
import { refuseExchange } from "./exchange.ts";
import { refusalOf } from "./refusal.ts";

/** Answers requests that some other server has taken. Made by the `createHttpHandler` or `createSseHandler` of a transport. */
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

/** Makes the handler of an endpoint. */
export function handlerOf(endpoint: Endpoint): HttpHandler {
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
