/** Whether the address is one with TLS. */
export function isSecure({ protocol }: URL): boolean {
  return protocol === "sses:";
}

/** What HTTP calls the address. */
export function originOf(url: URL): string {
  return `${isSecure(url) ? "https" : "http"}://${url.host}`;
}
