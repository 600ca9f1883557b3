import type { Curve, Measure, Wire } from "./plan.ts";

/**
 * Other frameworks, as their documentation tells users to write them:
 * - `trpc`: tRPC, a call an HTTP request, or over its WebSocket link.
 * - `trpc-batch`: tRPC with `httpBatchLink`.
 * - `orpc`: oRPC.
 * - `rsocket`: rsocket-js.
 * - `connect`: Connect for Node: over HTTP its own protocol, over gRPC that.
 * - `a2a`: the SDK of A2A.
 * - `mcp`: the SDK of MCP: over SSE with answers that are streams, over HTTP with answers that are JSON.
 * - `nest`: microservices of NestJS.
 */
export const otherNames = ["trpc", "trpc-batch", "orpc", "rsocket", "connect", "a2a", "mcp", "nest"] as const;
export type OtherName = (typeof otherNames)[number];

/** Another framework, and how far it is measured. */
export interface Other {
  readonly title: string;
  /** Package whose version it goes by. */
  readonly package: string;
  readonly wires: readonly Wire[];
  readonly measures: readonly Measure[];
  /** What of Parley stands beside it. */
  readonly beside: readonly Beside[];
}

export type Beside = "parley" | "native" | "batched";

const all = { measures: ["c1", "c64", "stream"], beside: ["parley", "native"] } as const;

export const others: Readonly<Record<OtherName, Other>> = {
  trpc: { ...all, title: "tRPC", package: "@trpc/server", wires: ["ws", "http"] },
  "trpc-batch": {
    title: "tRPC, httpBatchLink",
    package: "@trpc/server",
    wires: ["http"],
    measures: ["c1", "c64"],
    beside: ["batched"],
  },
  orpc: { ...all, title: "oRPC", package: "@orpc/server", wires: ["ws", "http"] },
  rsocket: { ...all, title: "rsocket-js", package: "rsocket-core", wires: ["ws"] },
  connect: { ...all, title: "Connect", package: "@connectrpc/connect", wires: ["http", "grpc"] },
  a2a: {
    title: "A2A SDK",
    package: "@a2a-js/sdk",
    wires: ["http"],
    // What streams is a task, of which the server copies all that it has said whenever it says more: 6,000 items take minutes.
    measures: ["c1", "c64"],
    beside: ["parley"],
  },
  mcp: { ...all, title: "MCP SDK", package: "@modelcontextprotocol/server", wires: ["stdio", "http", "sse"] },
  nest: {
    title: "NestJS",
    package: "@nestjs/microservices",
    wires: ["mqtt"],
    // It unsubscribes from answers with the last of them, and loses that to a request which is just being made: one at a time it does not.
    measures: ["c1", "stream"],
    beside: ["parley"],
  },
};

export function isOther(name: string): name is OtherName {
  return name in others;
}

/** Whether a framework is measured at it. */
export function isMeasuredOf(name: OtherName, measured: Measure | Curve): boolean {
  return others[name].measures.some((one) => one === measured);
}
