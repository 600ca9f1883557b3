export { listenAt, withPort } from "./listen-at.ts";
export { isLoopback, loopbackNames, requireExposed } from "./loopback.ts";
export { presentedHeaders } from "./presented-headers.ts";
export { type SocketPeer, socketPeer } from "./socket-peer.ts";
export { opensslReason, tlsError } from "./tls-error.ts";
