import type * as Package from "@parley/transport-sse";
import type { Subject } from "../subject.ts";
import { bearing } from "./bearer.ts";
import { transportPackage } from "./transport-package.ts";

const { sse } = await transportPackage<typeof Package>(import.meta.url, "@parley/transport-sse");

/** Server-Sent Events. */
export const subject: Subject = {
  name: "sse",
  transport: (options) => sse({ ...options, credentials: bearing(options) }),
  url: "sse://127.0.0.1:0",
  secure: "sses://127.0.0.1:0",
  credentials: true,
  tapping: "http",
};
