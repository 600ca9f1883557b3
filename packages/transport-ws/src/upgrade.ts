import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { chosen, SUBPROTOCOL } from "./subprotocols.ts";

/** Which opening handshakes are taken. */
export interface UpgradeRules {
  readonly path: string;
  readonly allowedOrigins: readonly string[];
  /** Absent: any. */
  readonly allowedHosts: readonly string[] | undefined;
}

/** An HTTP answer instead of the upgrade. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** Why a handshake is not taken; undefined when it is. */
export function upgradeRefusal({ headers, url = "/" }: IncomingMessage, rules: UpgradeRules): Refusal | undefined {
  const path = url.split("?", 1)[0];
  if (path !== rules.path) return { status: 404, text: `Nothing is served at this path; Parley is at ${rules.path}` };
  // RFC 6455, 10.2: browsers say where the page came from; a page of a stranger must not use its visitor's loopback or cookies.
  if (headers.origin !== undefined && !rules.allowedOrigins.includes(headers.origin)) {
    const text = `Pages of the origin ${headers.origin.replace(/[^\x20-\x7e]/g, "?").slice(0, 200)} may not connect; if they are meant to, put it in the option allowedOrigins`;
    return { status: 403, text };
  }
  // A name that was made to resolve to this address (DNS rebinding).
  const host = headers.host?.replace(/:\d+$/, "").toLowerCase();
  if (rules.allowedHosts && !(host !== undefined && rules.allowedHosts.includes(host))) {
    return { status: 403, text: "This host name is not allowed (option allowedHosts)" };
  }
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim()) ?? [];
  if (chosen(new Set(offered)) === undefined) {
    return { status: 400, text: `Offer the WebSocket subprotocol ${SUBPROTOCOL}` };
  }
  return undefined;
}

/** Answers a handshake with a refusal and ends its connection. */
export function refuseUpgrade(socket: Duplex, { status, text }: Refusal): void {
  const body = `${text}.\n`;
  socket.on("error", () => {});
  // Not left to the peer: the server no longer looks after a socket whose upgrade it was asked for.
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
