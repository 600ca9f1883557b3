import type { Transport } from "@parley/core";

/** Each in a package of its own: a process installs, and loads, the wires that it speaks. */
const load: Readonly<Record<string, () => Promise<Transport>>> = {
  grpc: async () => (await import("@parley/transport-grpc")).grpc(),
  http: async () => (await import("@parley/transport-http")).http(),
  // A machine that starts seven processes at once is slow for a while.
  mqtt: async () => (await import("@parley/transport-mqtt")).mqtt({ acceptWithinMs: 10_000 }),
  sse: async () => (await import("@parley/transport-sse")).sse(),
  stdio: async () => (await import("@parley/transport-stdio")).stdio(),
  ws: async () => (await import("@parley/transport-ws")).ws(),
};

/** The transports of these names. */
export function wires(...names: readonly string[]): Promise<readonly Transport[]> {
  return Promise.all(
    names.map((name) => load[name]?.() ?? Promise.reject(new Error(`there is no wire of the name ${name}`))),
  );
}

/** The name of the transport that serves a URL. */
export function wireOf(url: string): string {
  return new URL(url).protocol.slice(0, -1);
}
