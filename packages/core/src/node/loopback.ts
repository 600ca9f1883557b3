import { ParleyError } from "../call/error.ts";

/** Names by which a client on this machine dials a loopback address, as they stand in a `Host` header. */
export const loopbackNames: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

/** Whether an address or host name, an IPv6 address with or without brackets, is of this machine alone. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(name);
}

/**
 * Refuses to listen where other machines reach it, unless that is meant. `factory` names the transport's, for the message.
 * @throws ParleyError `failed_precondition`, outcome `not-sent`
 */
export function requireExposed(url: URL, exposed: boolean, factory: string): void {
  if (exposed || isLoopback(url.hostname)) return;
  throw new ParleyError(
    "failed_precondition",
    `${url.hostname} can be reached by other machines: say ${factory}({ exposed: true }) if that is meant, or listen at 127.0.0.1`,
    { outcome: "not-sent" },
  );
}
