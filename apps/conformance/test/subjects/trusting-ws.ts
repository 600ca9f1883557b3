import { certificates } from "@parley/test-certificates";
import { ws } from "@parley/transport-ws";
import type { Subject } from "../../src/subject.ts";

/** WebSocket to whoever has a certificate of the tests' own authority. */
export const subject: Subject = {
  name: "trusting-ws",
  transport: ({ heartbeatMs, limits }) => ws({ heartbeatMs, limits, tls: { ca: certificates.ca } }),
  url: "ws://127.0.0.1:0",
  tapping: "websocket",
};
