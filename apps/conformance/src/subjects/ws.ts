import type * as Package from "@parley/transport-ws";
import type { Subject } from "../subject.ts";
import { transportPackage } from "./transport-package.ts";
import { tuned } from "./tuned.ts";

const { ws } = await transportPackage<typeof Package>(import.meta.url, "@parley/transport-ws");

/** WebSocket. */
export const subject: Subject = {
  name: "ws",
  transport: (options) => ws({ ...tuned(options), resumeWindowMs: options.resumeWindowMs }),
  url: "ws://127.0.0.1:0",
  secure: "wss://127.0.0.1:0",
  credentials: true,
  tapping: "websocket",
};
