export { SUBPROTOCOL } from "../call-options.ts";
export { type WsOptions, ws } from "./ws.ts";
