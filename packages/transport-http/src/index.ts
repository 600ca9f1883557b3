export { http } from "./http.ts";
export { type HttpHandlerOptions, type HttpOptions, type HttpTls, httpLimits } from "./options.ts";
export { createHttpHandler, type HttpHandler } from "./server/http-handler.ts";
