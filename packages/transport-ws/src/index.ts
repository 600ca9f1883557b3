export { WebSocketClient } from "./client.ts";
export type { WebSocketClose, WebSocketEvents, WebSocketOpen, WebSocketStats } from "./client-events.ts";
export type { WebSocketClientOptions, WebSocketCloseOptions, WebSocketReconnectOptions } from "./client-options.ts";
export type { CloseDetails } from "./close-code.ts";
export type { HandshakeDetails } from "./dial-error.ts";
export type { WebSocketFormat, WebSocketMessages } from "./message-format.ts";
export type { WsDialOptions, WsOptions, WsTls } from "./options.ts";
export { SUBPROTOCOL } from "./subprotocols.ts";
export { ws } from "./ws.ts";
