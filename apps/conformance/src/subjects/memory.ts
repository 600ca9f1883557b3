import { memory } from "@parley/core/transport";
import type { Subject } from "../subject.ts";

/** The reference: calls within one process. */
export const subject: Subject = {
  name: "memory",
  transport: ({ tap, heartbeatMs, limits, resumeWindowMs: windowMs }) =>
    memory({ tap, heartbeatMs, limits, resume: { windowMs } }),
  url: "memory://",
  tapping: "in-process",
};
