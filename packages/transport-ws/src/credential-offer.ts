import type { IncomingMessage } from "node:http";
import { presentedHeaders } from "@parley/core/node";
import type { Presented } from "@parley/core/transport";
import { readOffer } from "./offer.ts";

/** What the sender of an opening handshake presents: its headers, and what a page had to put into a subprotocol instead. */
export function presentedBy({ rawHeaders, headers }: IncomingMessage): Presented {
  const inHeaders = presentedHeaders(rawHeaders);
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").flatMap((name) => readOffer(name.trim()) ?? []);
  if (offered.length === 0) return inHeaders;
  return {
    // Beside the headers, never in place of one: a proxy in front may have set it.
    header: (name) => [
      ...inHeaders.header(name),
      ...offered.filter((one) => one.name === name).map(({ value }) => value),
    ],
  };
}
