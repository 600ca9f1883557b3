import { type Resilience, resilience } from "@parley/core";
import { brokerLimits, channelLimits, type Limits, type Transport } from "@parley/core/transport";
import type { Contender } from "../contender.ts";
import { isOther } from "../others.ts";
import type { ContenderName, Wire } from "../plan.ts";
import { stdioCommand } from "./stdio-command.ts";

// Imported when they are needed, so that no contender carries the modules of another.
const rawLibraries: Readonly<Record<Wire, () => Promise<Contender>>> = {
  stdio: async () => (await import("./raw-stdio.ts")).rawStdio,
  ws: async () => (await import("./raw-ws.ts")).rawWs,
  http: async () => (await import("./raw-http.ts")).rawHttp,
  sse: async () => (await import("./raw-sse.ts")).rawSse,
  grpc: async () => (await import("./raw-grpc.ts")).rawGrpc,
  mqtt: async () => (await import("./raw-mqtt.ts")).rawMqtt,
};

const transports: Readonly<Record<Wire, (name: ContenderName) => Promise<Transport>>> = {
  async stdio(name) {
    const { stdio } = await import("@parley/transport-stdio");
    return stdio({ limits: roomy(channelLimits), command: stdioCommand(name) });
  },
  async ws() {
    const { ws } = await import("@parley/transport-ws");
    return ws({ limits: roomy(channelLimits) });
  },
  async http(name) {
    const { http, httpLimits } = await import("@parley/transport-http");
    return http({ limits: roomy(httpLimits), batch: name === "batched" });
  },
  async sse() {
    const { sse, sseLimits } = await import("@parley/transport-sse");
    return sse({ limits: roomy(sseLimits) });
  },
  async grpc(name) {
    const { grpc, nativeLimits } = await import("@parley/transport-grpc");
    return name === "native"
      ? grpc({ channel: false, limits: roomy(nativeLimits) })
      : grpc({ limits: roomy(channelLimits) });
  },
  async mqtt() {
    const { mqtt } = await import("@parley/transport-mqtt");
    const limits = roomy(brokerLimits);
    return mqtt({ limits, maxQueuedBytes: 4 * limits.maxMessageBytes, publishQos: 0, subscribeQos: 0 });
  },
};

/** Makes a contender for a wire. */
export async function loadContender(wire: Wire, name: ContenderName): Promise<Contender> {
  if (name === "raw") return rawLibraries[wire]();
  if (isOther(name)) return (await import("./others/load.ts")).loadOther(wire, name);
  const transport = await transports[wire](name);
  if (name !== "typed" && name !== "resilient") return (await import("./parley.ts")).parley(transport);
  const { typed } = await import("./typed.ts");
  return typed(transport, name === "resilient" ? [policies()] : []);
}

/** As transports have them, but for messages of 16 MiB. */
function roomy(limits: Limits): Limits {
  return { ...limits, maxMessageBytes: 32 * 1024 * 1024 };
}

/** What somebody would choose who chooses all four; none of them ever has anything to do here. */
function policies(): Resilience {
  return resilience({ bulkhead: { maxConcurrent: 10_000 }, retry: {}, breaker: {}, timeoutMs: 30_000 });
}
