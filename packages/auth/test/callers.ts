import { Context, type Peer, type Presented } from "@parley/core/transport";

/** What somebody shows in headers. */
export function shown(headers: Readonly<Record<string, string | readonly string[]>>): Presented {
  return { header: (name) => [headers[name] ?? []].flat() };
}

/** A caller who shows something with each call. */
export function caller(
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  peer: Peer = { transport: "test" },
): Context {
  return new Context(peer, false, shown(headers));
}
