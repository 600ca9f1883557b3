import type { AddressInfo, Server } from "node:net";
import { ParleyError, TransportError } from "../call/error.ts";

/** Connections that wait to be accepted; the kernel has the last word. */
const BACKLOG = 4_096;

/**
 * Opens the port of a URL, 0 for any free one; `defaultPort` where the URL has none. Resolves with the URL that has the port which was taken.
 * @throws ParleyError `already_exists` when the address is in use, `permission_denied`, `invalid_argument`, `unavailable`; outcome `not-sent`
 */
export function listenAt(server: Server, url: URL, defaultPort: number): Promise<URL> {
  const port = url.port === "" ? defaultPort : Number(url.port);
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(listenError(url, error));
    server.once("error", failed);
    server.listen({ port, host: hostOf(url), backlog: BACKLOG }, () => {
      server.off("error", failed);
      resolve(withPort(url, server));
    });
  });
}

/** The URL with the port that the server listens at; as it is while the server does not listen. */
export function withPort(url: URL, server: Server): URL {
  const address = server.address() as AddressInfo | string | null;
  const bound = new URL(url);
  if (typeof address === "object" && address !== null) bound.port = String(address.port);
  return bound;
}

/** Host name or address of a URL, an IPv6 address without its brackets. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function listenError(url: URL, error: NodeJS.ErrnoException): ParleyError {
  const options = { outcome: "not-sent", cause: error } as const;
  switch (error.code) {
    case "EADDRINUSE":
      return new ParleyError(
        "already_exists",
        `${url.host} is in use: another program listens there; take another port, or port 0 for any free one`,
        options,
      );
    case "EACCES":
      return new ParleyError(
        "permission_denied",
        `this process may not listen at ${url.host}; ports below 1024 need privileges`,
        options,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new ParleyError("invalid_argument", `${url.hostname} is not an address of this machine`, options);
    default:
      return new TransportError("unavailable", `cannot listen at ${url.host}: ${error.message}`, options);
  }
}
