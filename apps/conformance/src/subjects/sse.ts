import type * as Package from "@parley/transport-sse";
import type { Subject } from "../subject.ts";
import { transportPackage } from "./transport-package.ts";
import { tuned } from "./tuned.ts";

const { sse } = await transportPackage<typeof Package>(import.meta.url, "@parley/transport-sse");

/** Server-Sent Events. */
export const subject: Subject = {
  name: "sse",
  transport: (options) => sse({ ...tuned(options), resumeWindowMs: options.resumeWindowMs }),
  url: "sse://127.0.0.1:0",
  secure: "sses://127.0.0.1:0",
  credentials: true,
  tapping: "http",
};
