export { SUBPROTOCOL, type WsOptions } from "./options.ts";
export { ws } from "./ws.ts";
