import type { Contender } from "../../contender.ts";
import type { OtherName } from "../../others.ts";
import type { Wire } from "../../plan.ts";

type Frameworks = Readonly<Partial<Record<OtherName, () => Promise<Contender>>>>;

const frameworks: Readonly<Partial<Record<Wire, Frameworks>>> = {
  ws: {
    trpc: async () => (await import("./trpc.ts")).trpcWs,
    orpc: async () => (await import("./orpc.ts")).orpcWs,
    rsocket: async () => (await import("./rsocket.ts")).rsocketWs,
  },
  http: {
    trpc: async () => (await import("./trpc.ts")).trpcHttp,
    "trpc-batch": async () => (await import("./trpc.ts")).trpcBatch,
    orpc: async () => (await import("./orpc.ts")).orpcHttp,
    connect: async () => (await import("./connect.ts")).connectHttp,
    a2a: async () => (await import("./a2a.ts")).a2aHttp,
    mcp: async () => (await import("./mcp.ts")).mcpHttp,
  },
  sse: { mcp: async () => (await import("./mcp.ts")).mcpSse },
  grpc: { connect: async () => (await import("./connect.ts")).connectGrpc },
  mqtt: { nest: async () => (await import("./nest.ts")).nestMqtt },
  stdio: { mcp: async () => (await import("./mcp.ts")).mcpStdio },
};

/** Makes a contender that another framework is. @throws Error when it is not written for the wire */
export async function loadOther(wire: Wire, name: OtherName): Promise<Contender> {
  const load = frameworks[wire]?.[name];
  if (!load) throw new Error(`${name} is not written for ${wire}`);
  return load();
}
