export { SUBPROTOCOL } from "../call-options.ts";
export { WebSocketClient } from "./web-socket-client.ts";
export { type WsOptions, ws } from "./ws.ts";
