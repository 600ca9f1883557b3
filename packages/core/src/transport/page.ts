import { ParleyError } from "../call/error.ts";
import type { Credentials } from "../credentials/credentials.ts";

/** What is told of a peer that a page gets no answer from: its browser knows the reason, and the page what it may be. */
export function hiddenReasons({ protocol, origin }: URL): string {
  // Of a page or a worker; there is none elsewhere.
  const { location } = globalThis as { readonly location?: { readonly origin: string; readonly protocol: string } };
  const reasons = ["it is not reached", "is no Parley"];
  if (/^(https|wss):/.test(protocol)) reasons.push("has no certificate that the browser trusts");
  else if (location?.protocol === "https:") reasons.push(`may not be called by ${protocol} from a page of https:`);
  if (location && location.origin !== origin) {
    reasons.push(`does not admit pages of ${location.origin} (its option allowedOrigins)`);
  }
  return `a browser does not say whether ${reasons.slice(0, -1).join(", ")} or ${reasons.at(-1)}`;
}

const serving = "a page does not listen";

/** Options that no browser has a place for, and why. */
const nodeOptions: Readonly<Record<string, string>> = {
  tls: "it verifies the peer's certificate by itself, and shows those that its user has installed",
  server: serving,
  allowedOrigins: serving,
  allowedHosts: serving,
  maxConnections: serving,
  exposed: serving,
  requestTimeoutMs: serving,
};

/**
 * Refuses what a browser has no place for, from callers without types.
 * @param more options of this transport alone, with the reasons.
 * @throws ParleyError `invalid_argument`, `not-sent`
 */
export function refuseInBrowser(
  transport: string,
  options: { readonly credentials?: Credentials | undefined },
  more: Readonly<Record<string, string>> = {},
): void {
  const reasons = { ...nodeOptions, ...more };
  const refuse = (what: string, reason: string | undefined): never => {
    const message = `${transport}: ${what} is of no effect in a browser: ${reason}`;
    throw new ParleyError("invalid_argument", message, { outcome: "not-sent" });
  };
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && Object.hasOwn(reasons, name)) refuse(`the option ${name}`, reasons[name]);
  }
  if (options.credentials?.certificate) refuse("certificate()", nodeOptions["tls"]);
}
