export { sseLimits } from "../limits.ts";
export { type SseOptions, sse } from "./sse.ts";
