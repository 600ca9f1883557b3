export { SUBPROTOCOL } from "../subprotocols.ts";
export { type WsOptions, ws } from "./ws.ts";
