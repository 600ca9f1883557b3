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
export { type HttpHandlerOptions, type HttpOptions, type HttpTls, httpLimits } from "./options.ts";
