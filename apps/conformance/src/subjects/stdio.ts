import type * as Package from "@parley/transport-stdio";
import type { Subject } from "../subject.ts";
import { transportPackage } from "./transport-package.ts";

const { stdio } = await transportPackage<typeof Package>(import.meta.url, "@parley/transport-stdio");

/** Child processes. */
export const subject: Subject = {
  name: "stdio",
  transport: ({ child, heartbeatMs, limits, exitMs }) =>
    stdio({
      heartbeatMs,
      limits,
      exitMs,
      graceMs: 500,
      helloTimeoutMs: 10_000,
      ...(child ? { command: [child.command, ...child.args] } : {}),
    }),
  url: "stdio:",
  tapping: "lines",
  serving: "child",
};
