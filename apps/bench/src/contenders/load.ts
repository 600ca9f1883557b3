import type { Transport } from "@parley/core/transport";
import type { Contender } from "../contender.ts";
import type { ContenderName, Wire } from "../plan.ts";

// Imported when they are needed, so that no contender carries the modules of another.
const rawLibraries: Readonly<Record<Wire, () => Promise<Contender>>> = {
  ws: async () => (await import("./raw-ws.ts")).rawWs,
  http: async () => (await import("./raw-http.ts")).rawHttp,
  sse: async () => (await import("./raw-sse.ts")).rawSse,
};

const transports: Readonly<Record<Wire, () => Promise<Transport>>> = {
  ws: async () => (await import("@parley/transport-ws")).ws(),
  http: async () => (await import("@parley/transport-http")).http(),
  sse: async () => (await import("@parley/transport-sse")).sse(),
};

/** Makes a contender for a wire. */
export async function loadContender(wire: Wire, name: ContenderName): Promise<Contender> {
  switch (name) {
    case "raw":
      return rawLibraries[wire]();
    case "parley":
      return (await import("./parley.ts")).parley(await transports[wire]());
    case "typed":
      return (await import("./typed.ts")).typed(await transports[wire]());
  }
}
