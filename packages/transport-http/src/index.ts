export {
  type BodyChunk,
  type BodyInit,
  type BodyOptions,
  type HttpAgain,
  type HttpClientTls,
  type HttpErrorDetails,
  type HttpHooks,
  type HttpOutgoing,
  type HttpPoolOptions,
  type HttpRequestOptions,
  HttpResponse,
  type HttpRetryOptions,
  type Params,
  type ParamValue,
  type PoolStats,
} from "@parley/core/http";
export { HttpClient, type HttpClientOptions } from "./client/http-client.ts";
export { http } from "./http.ts";
export { createHttpHandler, type HttpHandler } from "./http-handler.ts";
export { httpLimits } from "./limits.ts";
export type { HttpHandlerOptions, HttpOptions, HttpTls } from "./options.ts";
