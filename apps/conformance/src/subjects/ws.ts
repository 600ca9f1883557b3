import type * as Package from "@parley/transport-ws";
import type { Subject } from "../subject.ts";
import { bearing } from "./bearer.ts";
import { transportPackage } from "./transport-package.ts";

const { ws } = await transportPackage<typeof Package>(import.meta.url, "@parley/transport-ws");

/** WebSocket. */
export const subject: Subject = {
  name: "ws",
  transport: (options) => ws({ ...options, credentials: bearing(options) }),
  url: "ws://127.0.0.1:0",
  secure: "wss://127.0.0.1:0",
  credentials: true,
  tapping: "websocket",
};
