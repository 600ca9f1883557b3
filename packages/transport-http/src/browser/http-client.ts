import { ParleyError } from "@parley/core/transport";

const instead = "HttpClient does not run in a browser: use its fetch; agents are called by connect() with http()";

/**
 * Stands for the client of Node, which needs sockets, and says so to whoever makes one in a page: there the browser's `fetch` makes requests to any server that admits the page,
 * and `connect` with `http()` calls agents.
 */
export class HttpClient {
  /** @throws ParleyError `unimplemented`, with what to use instead */
  constructor(_reason: typeof instead) {
    throw new ParleyError("unimplemented", instead, { outcome: "not-sent" });
  }
}
