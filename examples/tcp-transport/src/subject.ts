import type { Subject } from "@parley/conformance";
import { tcp } from "./tcp.ts";

/** What the suite needs to know to test it. */
export const subject: Subject = {
  name: "tcp",
  transport: (tuning) => tcp(tuning),
  url: "tcp://127.0.0.1:0",
  tapping: "lines",
};
