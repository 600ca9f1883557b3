export { SUBPROTOCOL } from "../subprotocols.ts";
export { WebSocketClient } from "./web-socket-client.ts";
export { type WsOptions, ws } from "./ws.ts";
