export { sseLimits } from "../limits.ts";
export { type SseOptions, sse } from "./sse.ts";
export { SseClient } from "./sse-client.ts";
