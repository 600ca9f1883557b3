import { ParleyError } from "@parley/core/transport";

const instead = "SseClient does not run in a browser: use its EventSource; agents are called by connect() with sse()";

/**
 * Stands for the client of Node, which needs sockets, and says so to whoever makes one in a page: there the browser's `EventSource` reads any stream of events that admits the page,
 * and `connect` with `sse()` calls agents.
 */
export class SseClient {
  /** @throws ParleyError `unimplemented`, with what to use instead */
  constructor(_reason: typeof instead) {
    throw new ParleyError("unimplemented", instead, { outcome: "not-sent" });
  }
}
