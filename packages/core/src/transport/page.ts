import { ParleyError } from "../call/error.ts";
import type { Credentials } from "../credentials/credentials.ts";

/** The origin of the page (or worker) that this runs in, as its browser sends it; undefined outside of one. */
export function pageOrigin(): string | undefined {
  return (globalThis as { readonly location?: { readonly origin?: string } }).location?.origin;
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
