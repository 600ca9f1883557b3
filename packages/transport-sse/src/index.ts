export type {
  BodyOptions,
  HttpAgain,
  HttpClientTls,
  HttpHooks,
  HttpOutgoing,
  HttpRequestOptions,
  HttpResponse,
  Params,
  ParamValue,
} from "@parley/core/http";
export type { SseEvent } from "./client/read-events.ts";
export { SseClient } from "./client/sse-client.ts";
export type { SseClientOptions } from "./client/sse-client-options.ts";
export { sseLimits } from "./limits.ts";
export type { SseHandlerOptions, SseOptions, SseTls } from "./options.ts";
export { sse } from "./sse.ts";
export { createSseHandler, type SseHandler } from "./sse-handler.ts";
