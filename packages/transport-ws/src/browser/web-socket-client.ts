import { ParleyError } from "@parley/core/transport";

const instead =
  "WebSocketClient does not run in a browser: use its WebSocket; agents are called by connect() with ws()";

/**
 * Stands for the client of Node, which needs sockets, and says so to whoever makes one in a page: there the browser's `WebSocket` talks with any WebSocket server,
 * and `connect` with `ws()` calls agents.
 */
export class WebSocketClient {
  /** @throws ParleyError `unimplemented`, with what to use instead */
  constructor(_reason: typeof instead) {
    throw new ParleyError("unimplemented", instead, { outcome: "not-sent" });
  }
}
