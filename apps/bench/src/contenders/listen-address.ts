import type { Transport } from "@parley/core/transport";

/** Where a contender of a transport listens: at a broker, on a pipe, or on a free port of the loopback interface. */
export function listenAddress({ schemes: [scheme] }: Transport, broker: string | undefined): string {
  return broker ?? (scheme === "stdio" ? "stdio:" : `${scheme}://127.0.0.1:0`);
}
