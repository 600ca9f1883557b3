import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ParleyError, TransportError } from "@parley/core/transport";

/** Connections that wait to be accepted; the kernel has the last word. */
const BACKLOG = 4_096;

/**
 * Opens the port of a URL, 0 for any free one. Resolves with the URL that has the port which was taken.
 * @throws ParleyError `already_exists`, `permission_denied`, `invalid_argument`, `unavailable`
 */
export function bind(server: Server, url: URL): Promise<URL> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(bindError(url, error));
    server.once("error", failed);
    server.listen({ port: portOf(url), host: url.hostname.replace(/^\[|\]$/g, ""), backlog: BACKLOG }, () => {
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

function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

function bindError(url: URL, error: NodeJS.ErrnoException): ParleyError {
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
