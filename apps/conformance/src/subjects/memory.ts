import { memory } from "@parley/core/transport";
import type { Subject } from "../subject.ts";

/** The reference: calls within one process. */
export const subject: Subject = {
  name: "memory",
  transport: ({ tap }) => memory({ tap }),
  url: "memory://",
  tapping: "in-process",
};
