export { httpLimits } from "../limits.ts";
export { type HttpOptions, http } from "./http.ts";
export { HttpClient } from "./http-client.ts";
