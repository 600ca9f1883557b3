import type { IncomingMessage } from "node:http";
import { isLoopback } from "../../node/index.ts";
import { TransportError } from "../../transport/index.ts";
import { isAllowedOrigin } from "./origin.ts";
import type { Peers } from "./peers.ts";
import { forbidden, type Refusal } from "./refusal.ts";

/** Who may call, as far as a request's head tells. */
export interface GuardRules {
  readonly allowedHosts: readonly string[] | undefined;
  readonly allowedOrigins: readonly string[];
}

/** Headers in one request; an envelope has at most 64 attributes, and the rest is for proxies. */
const MAX_HEADERS = 128;

/** Why a request is turned away whatever it asks for; undefined when it is not. */
export function guard(
  { headers, rawHeaders, socket }: IncomingMessage,
  rules: GuardRules,
  peers: Peers,
): Refusal | undefined {
  if (rawHeaders.length > MAX_HEADERS * 2) {
    const count = rawHeaders.length / 2;
    const error = new TransportError(
      "resource_exhausted",
      `a request has at most ${MAX_HEADERS} headers, this one ${count}`,
      { outcome: "not-sent" },
    );
    return { status: 431, error };
  }
  const { allowedHosts, allowedOrigins } = rules;
  const { host = "", origin } = headers;
  const peer = peers.of(socket);
  if (host !== peer.host) {
    const name = nameOf(host);
    if (allowedHosts ? !allowedHosts.includes(name) : peer.loopback && !isLoopback(name)) {
      return forbidden(
        `the host name ${JSON.stringify(host)} is not one of this server's; if it is meant to be, put it in the option allowedHosts`,
      );
    }
    peer.host = host;
  }
  if (origin !== undefined) {
    if (isAllowedOrigin(origin, headers.host, allowedOrigins)) return undefined;
    return forbidden(
      `pages of the origin ${JSON.stringify(origin)} may not call; if they are meant to, put it in the option allowedOrigins`,
    );
  }
  // Browsers that leave out the Origin (images, forms of old) still say this much. https://w3c.github.io/webappsec-fetch-metadata/
  if (headers["sec-fetch-site"] === "cross-site") return forbidden("pages of other sites may not call");
  return undefined;
}

/** The host of a `Host` header, without its port, in lower case. */
function nameOf(host: string): string {
  return host.replace(/:\d*$/, "").toLowerCase();
}
