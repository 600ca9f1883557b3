import type { Transport } from "@parley/core/transport";
import { publicAddress } from "./hide.ts";
import { Reach } from "./serving/reach.ts";
import type { Subject } from "./subject.ts";

/** A scheme that ends so, of a transport that has it without as well, is that with TLS. */
const SECURE = "s:";
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** A server that is the user's own and serves the `conformanceAgent`. */
export interface LentServer {
  readonly url: URL;
  /** The suite's tap stands before it. */
  readonly tapped: boolean;
  readonly reach: Reach;
}

/**
 * The server that a user names for a wire.
 * @throws RangeError when the other side of that wire is none that could be named.
 */
export function lentServer(url: URL, subject: Subject, transport: Transport): LentServer {
  const why = unaddressable(subject);
  if (why !== undefined) throw new RangeError(`--url ${publicAddress(url)}: ${why}`);
  return { url, tapped: canTap(url, transport), reach: new Reach() };
}

function unaddressable({ tapping, serving, foreign }: Subject): string | undefined {
  if (foreign || serving === "child") return "the other side of this wire is started by the one that dials";
  return tapping === "in-process" ? "both sides of this wire live in one process" : undefined;
}

/**
 * Whether the suite's relay can stand before a server: what is encrypted it could not read, and a server that is not on this machine
 * may well go by the name that it is asked for.
 */
function canTap({ protocol, hostname, port }: URL, { schemes }: Transport): boolean {
  const secure = protocol.endsWith(SECURE) && schemes.includes(protocol.slice(0, -SECURE.length));
  return !secure && port !== "" && LOOPBACK.test(hostname);
}
