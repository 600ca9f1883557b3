import { ws } from "@parley/transport-ws";
import type { Subject } from "../subject.ts";

/** WebSocket. */
export const subject: Subject = {
  name: "ws",
  transport: () => ws(),
  url: "ws://127.0.0.1:0",
  tapping: "websocket",
};
